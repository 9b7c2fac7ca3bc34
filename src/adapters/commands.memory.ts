/** Commands between the nodes of one process: for tests of what several of them do. */
import type { CommandChannel, NodeCommand } from "../ports/commands.ts";

export class MemoryCommandHub {
  readonly #nodes = new Set<MemoryChannel>();

  join(): CommandChannel {
    const node = new MemoryChannel((command) => {
      for (const other of this.#nodes) if (other !== node) queueMicrotask(() => other.receive(command));
    });
    node.onClose = () => this.#nodes.delete(node);
    this.#nodes.add(node);
    return node;
  }
}

class MemoryChannel implements CommandChannel {
  onClose: () => void = () => {};
  readonly #send: (command: NodeCommand) => void;
  readonly #listeners = new Set<(command: NodeCommand) => void>();
  #closed = false;

  constructor(send: (command: NodeCommand) => void) {
    this.#send = send;
  }

  publish(command: NodeCommand): void {
    if (!this.#closed) this.#send(command);
  }

  receive(command: NodeCommand): void {
    for (const listener of this.#listeners) listener(command);
  }

  listen(listener: (command: NodeCommand) => void): () => void {
    if (!this.#closed) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Nothing is missed here. */
  onMissed(): () => void {
    return () => {};
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    this.onClose();
    return Promise.resolve();
  }
}
