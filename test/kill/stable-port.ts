import { once } from "node:events";
import { createServer } from "node:net";

/** Below what the system gives to whoever asks for any port, so that nobody gets it while its server is dead. */
const [FIRST, LAST] = [12_000, 30_000];
const ANY = FIRST + Math.floor(Math.random() * (LAST - FIRST));
let given = 0;

/** A TCP port of 127.0.0.1 that is this process's own, whether a server listens on it or not: never given twice. */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = FIRST + ((ANY - FIRST + given++) % (LAST - FIRST));
    if (await isFree(port)) return port;
    if (given > LAST - FIRST) throw new Error("no port is free");
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
