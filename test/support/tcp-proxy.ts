/** A network between a client and a server of this machine that a test can cut and mend. */
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Resets what is open and refuses what is new, until `mend`. */
  cut(): void;
  mend(): void;
  /** Lets nothing through any more, and tells nobody: the other side might only be slow. */
  freeze(): void;
  close(): Promise<void>;
}

/** `onConnection` sees each client that is let in, before anything has passed. */
export async function tcpProxy(target: number, onConnection: (client: Socket) => void = () => {}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let whole = true;
  const server = createServer((client) => {
    if (!whole) return client.resetAndDestroy();
    const upstream = connect(target, "127.0.0.1");
    onConnection(client);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  const cut = () => {
    whole = false;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    cut,
    freeze: () => {
      whole = false;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend: () => {
      whole = true;
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
