import { z } from "zod";
import { id, session, tenant, time, user } from "../shapes.ts";

const login = z.object({ session: z.object({ id, expiresAt: time }), user, tenant });

/** The client's own name for itself, shown in the list of devices. */
const device = z.string().max(200).optional();
const secret = z.string().min(1).max(512);

export const sessionMethods = {
  /** `token` is the server's access token. The answer's `sessionToken` is shown once; only its hash is stored. */
  login: { params: z.strictObject({ token: secret, device }), result: login.extend({ sessionToken: z.string() }) },
  "session.resume": { params: z.strictObject({ sessionToken: secret }), result: login },
  /** `roles`: what the user may do beside what everybody may; an `owner` may ask for what is about the whole tenant. */
  "session.get": { params: z.strictObject({}), result: z.object({ session, roles: z.array(z.string()) }) },
  "session.list": { params: z.strictObject({}), result: z.object({ sessions: z.array(session) }) },
  /** Ends another login of the same user, at once, on every connection. */
  "session.revoke": { params: z.strictObject({ sessionId: id }), result: z.object({}) },
  logout: { params: z.strictObject({}), result: z.object({}) },
} as const;
