/**
 * Whether the view follows the end of the transcript, as a pure function of what scrolls. Every position that the page
 * itself sets is told here as `placed`; any other movement is the reader's.
 *
 *             3 px up by the reader
 *   pinned ───────────────────────────▶ free
 *     ▲                                  │
 *     └── within 60 px of the end, down ─┘   or "jump to latest", or a message sent
 */
export interface Pin {
  readonly pinned: boolean;
  /** Where the view stood when it was last looked at. */
  readonly top: number;
  /** How far it could be scrolled then. */
  readonly max: number;
}

export const UNPIN_PX = 3;
export const REPIN_PX = 60;

export const pinnedAt = (top: number, max: number): Pin => ({ pinned: true, top, max });

/** The page scrolled by itself. */
export const placed = (pin: Pin, top: number, max: number): Pin => ({ ...pin, top, max });

/** The view moved. */
export function scrolled(pin: Pin, top: number, max: number): Pin {
  // The end came nearer (something shrank) and the browser kept the view inside: nobody's wish.
  const clamped = max < pin.max && top >= max - 1;
  const up = pin.top - top;
  if (pin.pinned && up > UNPIN_PX && !clamped) return { pinned: false, top, max };
  if (!pin.pinned && up < 0 && max - top <= REPIN_PX) return { pinned: true, top, max };
  // Less than the threshold adds up: the place to measure from stays.
  return { ...pin, top: pin.pinned && up > 0 && !clamped ? pin.top : top, max };
}
