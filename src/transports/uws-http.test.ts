import { transportHttpContract } from "../../test/contracts/transport-http.ts";
import { uwsTransport } from "./uws.ts";

transportHttpContract("uWebSockets", uwsTransport);
