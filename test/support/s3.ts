import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";
import { serverProcess } from "./server-process.ts";
import { tempDir } from "./temp-dir.ts";

/** A server of this test's own that speaks S3's protocol and checks its signatures. */
export interface S3 {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Ends the server and removes its data. */
  readonly stop: () => Promise<void>;
}

const program = fileURLToPath(import.meta.resolve("s3rver/bin/s3rver.js"));

export async function startS3(): Promise<S3> {
  const dir = tempDir("parley-s3-");
  const port = await freePort();
  const bucket = "files-of-tests";
  // It makes the tokens of its pages with DES, which OpenSSL has only for the old.
  const node = [process.execPath, "--openssl-legacy-provider"] as const;
  const address = ["-a", "127.0.0.1", "-p", String(port)];
  const server = serverProcess({
    command: [...node, program, "-d", dir.path, ...address, "--configure-bucket", bucket],
    ready: /S3rver listening/i,
    stopSignal: "SIGKILL",
    cwd: dir.path,
  });
  await server.start();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    // The only account that it knows.
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" },
    stop: async () => {
      await server.stop();
      await dir.remove();
    },
  };
}
