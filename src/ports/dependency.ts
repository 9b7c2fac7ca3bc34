/** What a node can't do without: asked about by `/health` and `/readyz`. */
export interface Dependency {
  /** For the log: "the store". */
  readonly name: string;
  /** What to say while it does not answer: no address, no secret. Ends with a full stop. */
  readonly down: string;
  /**
   * Rejects when it does not answer in time. Answers what an operator has to mend before it may be used, in sentences;
   * undefined when all is well.
   */
  probe(timeoutMs: number): Promise<string | undefined>;
}
