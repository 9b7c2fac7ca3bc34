import { transportServerContract } from "../../test/contracts/transport-server.ts";
import { uwsTransport } from "./uws.ts";

transportServerContract("uWebSockets", uwsTransport, new URL("./uws.ts", import.meta.url).href, "uwsTransport");
