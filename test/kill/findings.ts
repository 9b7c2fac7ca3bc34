/** What is wrong with how a case came out. Pure. */
import { messageOf, pendingApprovals, type Transcript } from "../../src/client/transcript.ts";
import type { Message } from "../../src/protocol/shapes.ts";
import type { Audit } from "./audit.ts";
import type { Asked, Finding, Outcome, Scenario } from "./scenario.ts";

export const textOf = (message: Message): string =>
  message.parts.map((part) => (part.type === "text" ? part.text : "")).join("");

/** Of every branch. */
const allMessages = (transcript: Transcript): Message[] =>
  transcript.loaded.flatMap((id) => messageOf(transcript, id) ?? []);

/** On every branch. */
export const answersTo = (transcript: Transcript, { clientMessageId }: Asked): Message[] =>
  allMessages(transcript).filter(({ role, parentId }) => role === "assistant" && parentId === clientMessageId);

const UNFINISHED = ["queued", "running", "waiting"];

/** What two readers of a conversation have in common when they have seen the same. (When it was active last, the list says.) */
export const seenIn = (transcript: Transcript): object => ({
  title: transcript.conversation?.title,
  head: transcript.head,
  messages: allMessages(transcript),
  order: transcript.order,
  waiting: transcript.waiting,
  activeRun: transcript.activeRun,
  queuedRuns: transcript.queuedRuns,
  approvals: pendingApprovals(transcript),
  notice: transcript.notice,
  pending: transcript.pending,
  pendingAnswers: transcript.pendingAnswers,
});

/** Does nothing move any more? */
export const isAtRest = ({ runs, outbox }: Audit): boolean =>
  outbox === 0 && runs.every(({ status }) => !UNFINISHED.includes(status));

export function findingsOf(outcome: Outcome, runs: Scenario["runs"]): Finding[] {
  const { asked, audit, transcripts } = outcome;
  const findings = asked.flatMap((message) => aboutMessage(message, outcome));
  const answers = asked.reduce((sum, message) => sum + message.answers, 0);
  const { least, most } = runs ?? { least: answers, most: answers };
  if (audit.runs.length < least) findings.push({ kind: "lost", what: `${audit.runs.length} runs, not ${least}` });
  if (audit.runs.length > most) findings.push({ kind: "doubled", what: `${audit.runs.length} runs, not ${most}` });
  if (audit.conversations > transcripts.size) {
    findings.push({ kind: "doubled", what: `${audit.conversations} conversations, not ${transcripts.size}` });
  }
  for (const [conversationId, { fresh }] of transcripts) {
    const questions = allMessages(fresh).filter(({ role }) => role === "user");
    const sent = asked.filter((message) => message.conversationId === conversationId);
    if (questions.length > sent.length) {
      findings.push({ kind: "doubled", what: `${questions.length} messages of a person, ${sent.length} were sent` });
    }
    if (fresh.activeRun !== undefined || fresh.queuedRuns.length > 0) {
      findings.push({ kind: "hung", what: "a run that has ended is shown as active or queued" });
    }
  }
  for (const { id, status } of audit.runs) {
    if (UNFINISHED.includes(status)) findings.push({ kind: "hung", what: `run ${id} is ${status}` });
  }
  if (audit.pendingApprovals > 0)
    findings.push({ kind: "hung", what: `${audit.pendingApprovals} approvals are pending` });
  if (audit.outbox > 0) findings.push({ kind: "hung", what: `${audit.outbox} rows of the outbox are left` });
  if (audit.bugs > 0) findings.push({ kind: "wrong", what: `${audit.bugs} bugs were counted` });
  return findings;
}

function aboutMessage(asked: Asked, { transcripts }: Outcome): Finding[] {
  const findings: Finding[] = [];
  const find = (kind: Finding["kind"], what: string) => findings.push({ kind, what: `"${asked.text}": ${what}` });

  const fresh = transcripts.get(asked.conversationId)?.fresh;
  const answers = fresh === undefined ? [] : answersTo(fresh, asked);
  if (answers.length < asked.answers) find("lost", `${answers.length} answers, not ${asked.answers}`);
  if (answers.length > asked.answers) find("doubled", `${answers.length} answers, not ${asked.answers}`);
  for (const answer of answers) {
    const text = textOf(answer);
    const right = answer.status === "complete" ? text === asked.answer : asked.answer.startsWith(text);
    if (!right) find("wrong", `its answer is ${quote(text)}`);
    if (!asked.ends.includes(answer.status)) find("wrong", `its answer is ${answer.status}`);
  }
  return findings;
}

/** The beginning and the end say what is wrong. */
export const quote = (text: string): string =>
  text.length <= 80
    ? JSON.stringify(text)
    : `${JSON.stringify(`${text.slice(0, 40)}…${text.slice(-40)}`)} (${text.length})`;
