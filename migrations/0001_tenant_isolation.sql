-- Two roles work on these tables; the migrator makes them, since roles belong to the cluster, not to a database.
--   parley_app     requests and runs: rows of the transaction's tenant, and in it of its user
--   parley_system  claiming, renewing, sweeping, outbox, session look-up: any tenant, but only these columns
-- FORCE binds the tables' owner too; without a policy of its own it sees no row. A later migration that changes
-- rows must therefore work as one of the two.
-- After a transaction a setting made in it is an empty string, not null, hence nullif.

CREATE FUNCTION parley_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('parley.tenant_id', true), '')::uuid;
CREATE FUNCTION parley_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(current_setting('parley.user_id', true), '')::uuid;

GRANT USAGE ON SCHEMA public TO parley_app, parley_system;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON tenants TO parley_app USING (tenant_id = parley_tenant());
CREATE POLICY system ON tenants TO parley_system USING (true);
GRANT SELECT ON tenants TO parley_app;
GRANT SELECT (tenant_id, name, created_at), INSERT (tenant_id, name) ON tenants TO parley_system;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON users TO parley_app USING (tenant_id = parley_tenant() AND id = parley_user());
CREATE POLICY system ON users TO parley_system USING (true);
GRANT SELECT ON users TO parley_app;
GRANT SELECT (id, tenant_id, name, roles, created_at), INSERT (id, tenant_id, name, roles) ON users TO parley_system;

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON sessions TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON sessions TO parley_system USING (true);
GRANT SELECT, INSERT, DELETE ON sessions TO parley_app;
GRANT SELECT, UPDATE (last_seen_at, expires_at), DELETE ON sessions TO parley_system;

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON conversations TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON conversations TO parley_system USING (true);
GRANT SELECT, INSERT, UPDATE ON conversations TO parley_app;
GRANT SELECT (id, tenant_id, user_id, fence, head_id, current_run_id), UPDATE (fence, head_id) ON conversations
  TO parley_system;

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON messages TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT, UPDATE ON messages TO parley_app;

ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON runs TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON runs TO parley_system USING (true);
GRANT SELECT, INSERT, UPDATE ON runs TO parley_app;
GRANT SELECT, UPDATE (status, attempt, fence, owner, lease_until, deadline_at, started_at) ON runs TO parley_system;

ALTER TABLE steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE steps FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON steps TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT, UPDATE ON steps TO parley_app;

-- The app writes announcements and audit rows and never reads them back.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON outbox FOR INSERT TO parley_app WITH CHECK (tenant_id = parley_tenant());
CREATE POLICY system ON outbox TO parley_system USING (true);
GRANT INSERT ON outbox TO parley_app;
GRANT SELECT, DELETE ON outbox TO parley_system;

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON idempotency_keys TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON idempotency_keys TO parley_system USING (true);
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO parley_app;
GRANT SELECT (tenant_id, user_id, key, created_at), DELETE ON idempotency_keys TO parley_system;

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON audit_log FOR INSERT TO parley_app WITH CHECK (tenant_id = parley_tenant());
GRANT INSERT ON audit_log TO parley_app;
