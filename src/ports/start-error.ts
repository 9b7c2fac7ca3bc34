/**
 * The server can't start, or can't go on, for a reason that its operator can mend: the message says what is wrong and
 * what to do about it. It is printed without a stack, and the process ends with exit code 2.
 */
export class StartError extends Error {
  override readonly name = "StartError";
}
