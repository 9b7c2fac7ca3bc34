// npm run deploy:files [-- --check]: writes the deploy files that are made from typed sources, or says whether they are
// up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { taskDefinition } from "../deploy/ecs/task-definition.ts";
import * as kubernetes from "../deploy/kubernetes/manifests.ts";

const root = join(import.meta.dirname, "..");
const NOTICE = "# Made by `npm run deploy:files` from manifests.ts.\n";
const documents = [
  kubernetes.serviceAccount,
  kubernetes.deployment,
  kubernetes.service,
  kubernetes.ingress,
  kubernetes.autoscaler,
  kubernetes.disruptionBudget,
  kubernetes.networkPolicy,
];
const files = new Map([
  [
    "deploy/kubernetes/parley.yaml",
    NOTICE + documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join("---\n"),
  ],
  ["ecs-task-definition.json", `${JSON.stringify(taskDefinition, null, 2)}\n`],
]);

const check = process.argv.includes("--check");
for (const [path, text] of files) {
  const file = join(root, path);
  if (!check) writeFileSync(file, text);
  else if (read(file) !== text) {
    process.stderr.write(`${path} is not up to date: npm run deploy:files\n`);
    process.exitCode = 1;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
