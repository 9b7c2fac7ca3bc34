import { transportConnectionContract } from "../../test/contracts/transport-connection.ts";
import { wsTransport } from "./ws.ts";

transportConnectionContract("ws on node:http", wsTransport);
