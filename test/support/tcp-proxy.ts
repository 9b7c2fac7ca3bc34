/** A network between a client and a server of this machine that a test can cut and mend. */
import { connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";

export interface TcpProxy {
  readonly port: number;
  /** Resets what is open and refuses what is new, until `mend`. */
  cut(): void;
  mend(): void;
  /** Lets nothing through any more, and tells nobody: the other side might only be slow. */
  freeze(): void;
  /**
   * Lets nothing of a client's through any more, until `mend`, from the moment that what it sends has this; then
   * calls back, once.
   */
  trap(what: RegExp, caught: () => void): void;
  close(): Promise<void>;
}

/** So much of what a client sent last is looked through. */
const WINDOW = 64 * 1024;

/** `onConnection` sees each client that is let in, before anything has passed. */
export async function tcpProxy(target: number, onConnection: (client: Socket) => void = () => {}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let whole = true;
  let trap: { readonly what: RegExp; readonly caught: () => void } | undefined;
  let shut = false;

  /** What goes from one client to the server. */
  const gate = (): Transform => {
    let seen = "";
    return new Transform({
      transform(chunk: Buffer, _, done) {
        if (trap !== undefined) {
          // What belongs together may come in several pieces.
          seen = (seen + chunk.toString("latin1")).slice(-WINDOW);
          if (trap.what.test(seen)) {
            const { caught } = trap;
            trap = undefined;
            shut = true;
            caught();
          }
        }
        if (shut) done();
        else done(null, chunk);
      },
    });
  };

  const server = createServer((client) => {
    if (!whole) return client.resetAndDestroy();
    const upstream = connect(target, "127.0.0.1");
    onConnection(client);
    client.pipe(gate()).pipe(upstream);
    upstream.pipe(client);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
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
    trap: (what, caught) => {
      trap = { what, caught };
    },
    mend: () => {
      whole = true;
      trap = undefined;
      shut = false;
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
