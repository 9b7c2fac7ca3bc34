import { connectionContract } from "../../test/contracts/connection.ts";
import { wsConnect, OPCODE, type WsClient } from "../../test/support/ws-client.ts";
import type { ConnectionListener } from "../ports/connection.ts";
import type { TransportHooks } from "../ports/http.ts";
import { noMetrics } from "../ports/metrics.ts";
import { uwsTransport, type UwsOptions } from "./uws.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const silent: ConnectionListener = { open() {}, message() {}, drain() {}, close() {} };
const options: UwsOptions = { host: "127.0.0.1", port: 0, trustProxy: false, log, metrics: noMetrics };
const hooks: TransportHooks = { routes: [], connections: silent, refuseUpgrade: () => undefined };

connectionContract("uWebSockets", async (listener) => {
  const transport = uwsTransport(options, { ...hooks, connections: listener });
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
