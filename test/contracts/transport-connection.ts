import type { ConnectionListener } from "../../src/ports/connection.ts";
import type { TransportHooks } from "../../src/ports/http.ts";
import { noMetrics } from "../../src/ports/metrics.ts";
import type { SocketOptions } from "../../src/transports/http-limits.ts";
import { OPCODE, wsConnect, type WsClient } from "../support/ws-client.ts";
import { connectionContract } from "./connection.ts";
import type { MakeTransport } from "./transport-http.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const silent: ConnectionListener = { open() {}, message() {}, drain() {}, close() {} };
const options: SocketOptions = { host: "127.0.0.1", port: 0, trustProxy: false, log, metrics: noMetrics };
const hooks: TransportHooks = { routes: [], connections: silent, refuseUpgrade: () => undefined };

/** The contract of `Connection`, through a real socket. */
export function transportConnectionContract(name: string, make: MakeTransport): void {
  connectionContract(name, async (listener) => {
    const transport = make(options, { ...hooks, connections: listener });
    const port = await transport.listen();
    const clients: WsClient[] = [];
    return {
      async connect(headers = {}) {
        const client = await wsConnect({ port, headers });
        clients.push(client);
        return {
          send: (text) => client.send(text),
          sendBinary: (bytes) => client.frame(OPCODE.binary, bytes),
          sendFragments: (parts) => client.sendFragments(parts),
          close: (code, reason) => client.close(code, reason),
          vanish: () => client.reset(),
          pauseReading: () => client.pauseReading(),
          resumeReading: () => client.resumeReading(),
          get texts() {
            return client.texts;
          },
          get closeCode() {
            return client.closeFrame?.code;
          },
          get ended() {
            return client.ended;
          },
        };
      },
      tick() {},
      async stop() {
        for (const client of clients) client.destroy();
        await transport.close();
      },
    };
  });
}
