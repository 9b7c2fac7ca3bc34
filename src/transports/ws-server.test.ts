import { transportServerContract } from "../../test/contracts/transport-server.ts";
import { wsTransport } from "./ws.ts";

transportServerContract("ws on node:http", wsTransport, new URL("./ws.ts", import.meta.url).href, "wsTransport");
