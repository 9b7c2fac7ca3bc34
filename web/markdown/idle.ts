/** Work that waits until the page has nothing else to do, and then goes in slices. */

/** Does a little; true while there is more. */
export type Slices = () => boolean;

/** So long a turn, of which the page must still be laid out: less than what somebody would notice. */
const TURN_MS = 6;
/** Where the browser can't say when it is idle (Safari): so long between two turns. */
const REST_MS = 40;

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
  if ("requestIdleCallback" in globalThis) requestIdleCallback(work);
  else setTimeout(work, REST_MS);
}

function work(): void {
  asked = false;
  const end = performance.now() + TURN_MS;
  try {
    do {
      const slices = queue[0];
      if (slices === undefined) return;
      if (!more(slices) && queue[0] === slices) queue.shift();
    } while (performance.now() < end);
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
