/** Runs `work` soon: with the next frame, or where no frames are drawn (a tab in the background), with a timer. */
export function nextFrame(work: () => void): void {
  if (document.visibilityState === "hidden") setTimeout(work, 100);
  else requestAnimationFrame(work);
}

/** Runs `work` when the next frame has been drawn, after whatever the reader does meanwhile. */
export const afterFrame = (work: () => void): void => nextFrame(() => setTimeout(work));

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
