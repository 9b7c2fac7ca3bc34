/**
 * What Gemini wants back in a loop of tools: the signatures of its thoughts, unread, each on the part on which it came.
 * A call of the running turn that comes back without is refused (ai.google.dev, "Thought signatures").
 */
import { z } from "zod";

export interface PlacedSignature {
  /** Which part of the answer, of its calls and of its texts that are not blank, from 0. */
  readonly at: number;
  readonly signature: string;
}

/** Bytes of JSON that the port allows. */
const MAX_BYTES = 256 * 1024;

const continuation = z.object({
  model: z.string(),
  signatures: z.array(z.object({ at: z.int().min(0), signature: z.string() })),
});

/** undefined when there is nothing to send back, or too much. */
export function encodeContinuation(model: string, signatures: readonly PlacedSignature[]): unknown {
  if (signatures.length === 0) return undefined;
  const value = { model, signatures };
  return Buffer.byteLength(JSON.stringify(value)) <= MAX_BYTES ? value : undefined;
}

/** By part. Empty for another provider's or another model's continuation: a signature holds for the model that gave it. */
export function decodeContinuation(model: string, value: unknown): ReadonlyMap<number, string> {
  const parsed = continuation.safeParse(value);
  const own = parsed.success && parsed.data.model === model ? parsed.data.signatures : [];
  return new Map(own.map(({ at, signature }) => [at, signature]));
}
