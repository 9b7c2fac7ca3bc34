/** Work that waits until the page has nothing else to do, and then goes in slices. */

/** Does a little; true while there is more. */
export type Slices = () => boolean;

/** Where the browser can't say when it is idle (Safari): so long a slice, so long a rest. */
const SLICE_MS = 5;
const REST_MS = 40;
/** Of an idle period, left for what may come. */
const SPARE_MS = 3;

const queue: Slices[] = [];
let asked = false;

/** The returned function takes it back. */
export function whenIdle(slices: Slices): () => void {
  queue.push(slices);
  ask();
  return () => {
    const at = queue.indexOf(slices);
    if (at >= 0) queue.splice(at, 1);
  };
}

function ask(): void {
  if (asked || queue.length === 0) return;
  asked = true;
  if ("requestIdleCallback" in globalThis) requestIdleCallback((deadline) => work(() => deadline.timeRemaining()));
  else {
    setTimeout(() => {
      const end = performance.now() + SLICE_MS + SPARE_MS;
      work(() => end - performance.now());
    }, REST_MS);
  }
}

function work(remaining: () => number): void {
  asked = false;
  try {
    do {
      const slices = queue[0];
      if (slices === undefined) return;
      if (!more(slices) && queue[0] === slices) queue.shift();
    } while (remaining() > SPARE_MS);
  } finally {
    ask();
  }
}

/** Whatever fails is not tried again, and does not keep the others from their turn. */
function more(slices: Slices): boolean {
  try {
    return slices();
  } catch (error) {
    reportError(error);
    return false;
  }
}
