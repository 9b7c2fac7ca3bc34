import { transportHttpContract } from "../../test/contracts/transport-http.ts";
import { wsTransport } from "./ws.ts";

transportHttpContract("ws on node:http", wsTransport);
