/** How far from the screen something is when it is prepared for being seen. */
const MARGIN = "600px 0px";

const waiting = new Map<Element, () => void>();
let observer: IntersectionObserver | undefined;

/** Calls once, when the element comes near the screen. The returned function takes that back. */
export function onceNear(element: Element, work: () => void): () => void {
  observer ??= new IntersectionObserver(arrived, { rootMargin: MARGIN });
  waiting.set(element, work);
  observer.observe(element);
  return () => forget(element);
}

function arrived(entries: readonly IntersectionObserverEntry[]): void {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    const work = waiting.get(target);
    forget(target);
    work?.();
  }
}

function forget(element: Element): void {
  waiting.delete(element);
  observer?.unobserve(element);
}
