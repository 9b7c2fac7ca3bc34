import type { StoredSession } from "../src/ports/store.ts";
import { ParleyError } from "../src/protocol/errors.ts";
import type { Session } from "../src/protocol/shapes.ts";
import { defineHandler } from "../src/sessions/handler.ts";

const loggedIn = ({ id, expiresAt, user, tenant }: StoredSession) => ({ session: { id, expiresAt }, user, tenant });

/** The most recently used logins that `session.list` names; more would not fit a frame. */
const LISTED = 100;

const described = ({ id, expiresAt, createdAt, lastSeenAt, device }: Omit<Session, "current">, current: boolean) => ({
  id,
  expiresAt,
  createdAt,
  lastSeenAt,
  device,
  current,
});

export default [
  defineHandler("login", "public", async (context, { token, device }) => {
    const { sessions } = context.services;
    const { session, sessionToken } = await context.authenticate(() =>
      sessions.login(token, device ?? context.userAgent, context.remoteAddress),
    );
    return { ...loggedIn(session), sessionToken };
  }),

  defineHandler("session.resume", "public", async (context, { sessionToken }) => {
    const { sessions } = context.services;
    const { session } = await context.authenticate(async () => ({
      session: await sessions.resume(sessionToken, context.remoteAddress),
    }));
    return loggedIn(session);
  }),

  defineHandler("session.get", "user", (context) => ({
    session: described(context.session, true),
    roles: [...context.roles],
  })),

  defineHandler("session.list", "user", async (context) => {
    const all = await context.services.store.sessions.list(context.scope);
    const sessions = all.map((session) => described(session, session.id === context.session.id));
    return { sessions: sessions.filter(({ current }, index) => current || index < LISTED) };
  }),

  defineHandler("session.revoke", "user", async (context, { sessionId }) => {
    if (!(await context.services.sessions.revoke(context.scope, sessionId))) throw new ParleyError("NOT_FOUND");
    return {};
  }),

  defineHandler("logout", "user", async (context) => {
    await context.logout();
    return {};
  }),
];
