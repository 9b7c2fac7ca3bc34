import { connectionContract } from "../contracts/connection.ts";
import { openPair, type SocketPair } from "./socket-pair.ts";

connectionContract("socket pair", async (listener) => {
  const open: { pair: SocketPair; reading: boolean }[] = [];
  return {
    async connect(headers = {}) {
      const cookie = /parley_session=([^;]+)/.exec(headers.cookie ?? "")?.[1];
      const userAgent = headers["user-agent"];
      const pair = openPair(listener, {
        window: 200_000,
        ...(cookie === undefined ? {} : { cookieToken: cookie }),
        ...(userAgent === undefined ? {} : { userAgent }),
      });
      const entry = { pair, reading: true };
      open.push(entry);
      const { client } = pair;
      return {
        send: (text) => client.send(text),
        sendBinary: (bytes) => client.send(bytes),
        sendFragments: (parts) => client.send(parts.join("")),
        close: (code, reason) => client.close(code, reason),
        vanish: () => pair.cut(),
        pauseReading: () => (entry.reading = false),
        resumeReading: () => (entry.reading = true),
        get texts() {
          return client.received;
        },
        get closeCode() {
          return client.closed?.code;
        },
        get ended() {
          return client.closed !== undefined;
        },
      };
    },
    tick() {
      for (const { pair, reading } of open) {
        if (reading) pair.flush();
        else pair.flushToServer();
      }
    },
    async stop() {},
  };
});
