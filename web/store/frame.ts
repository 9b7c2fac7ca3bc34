/** Runs `work` soon: with the next frame, or where no frames are drawn (a tab in the background), with a timer. */
export function nextFrame(work: () => void): void {
  if (document.visibilityState === "hidden") setTimeout(work, 100);
  else requestAnimationFrame(work);
}

/** Runs `work` when the next frame has been drawn, after whatever the reader does meanwhile. */
export const afterFrame = (work: () => void): void => nextFrame(() => setTimeout(work));

/** A rest is so many times as long as the frame was. */
const REST = 2;
/** Longer, and text would come in jerks. */
const MAX_REST_MS = 100;

interface Clock {
  readonly now: () => number;
  readonly frame: (work: () => void) => void;
  readonly later: (work: () => void, ms: number) => void;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  frame: nextFrame,
  later: setTimeout,
};

/**
 * As `nextFrame`, with a rest after each frame, by what it took to do, lay out and paint: so most of a slow machine's time
 * is the reader's.
 */
export function restfully({ now, frame, later }: Clock = CLOCK): (work: () => void) => void {
  let restUntil = 0;
  return (work) => {
    const draw = (): void =>
      frame(() => {
        const began = now();
        work();
        later(() => {
          const ended = now();
          restUntil = ended + Math.min(MAX_REST_MS, REST * (ended - began));
        }, 0);
      });
    const wait = restUntil - now();
    if (wait > 0) later(draw, wait);
    else draw();
  };
}

/** Asked for any number of times, `work` runs once for all of them. */
export function coalesce(work: () => void, schedule: (work: () => void) => void = nextFrame): () => void {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    schedule(() => {
      due = false;
      work();
    });
  };
}
