/**
 * The order of reading. A message stands right after the one it answers or follows, so that an answer comes before
 * the messages that still wait behind its question; those without a parent in sight (the first one here, and what waits
 * in the queue) keep the order they are given in.
 *
 * Linear in the number of messages. `parentOf` answers null or undefined where there is none.
 */
export function arrange(
  ids: readonly string[],
  parentOf: (id: string) => string | null | undefined,
): readonly string[] {
  const here = new Set(ids);
  const roots: string[] = [];
  const children = new Map<string, string[]>();
  for (const id of here) {
    const parent = parentOf(id);
    if (parent === null || parent === undefined || parent === id || !here.has(parent)) roots.push(id);
    else children.set(parent, [...(children.get(parent) ?? []), id]);
  }
  const order: string[] = [];
  const stack = roots.toReversed();
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    order.push(id);
    const next = children.get(id) ?? [];
    for (let i = next.length - 1; i >= 0; i--) stack.push(next[i] ?? id);
  }
  return order;
}
