import { transportConnectionContract } from "../../test/contracts/transport-connection.ts";
import { uwsTransport } from "./uws.ts";

transportConnectionContract("uWebSockets", uwsTransport);
