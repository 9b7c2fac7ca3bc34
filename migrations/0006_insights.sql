CREATE INDEX "runs_times" ON "runs" USING btree ("created_at","tenant_id");--> statement-breakpoint
CREATE INDEX "steps_tools" ON "steps" USING btree ("started_at","tenant_id") WHERE kind = 'tool';--> statement-breakpoint
CREATE INDEX "usage_times" ON "usage" USING btree ("created_at","tenant_id");--> statement-breakpoint

-- A fifth role: what the owners of a tenant are told about all of it, as numbers. It sees who did what when and what
-- that took, of the whole tenant, and no text of anybody; and it sees nothing unless the user of the transaction is an
-- owner, whatever the program believes.
GRANT USAGE ON SCHEMA public TO parley_insights;

CREATE POLICY insights ON users FOR SELECT TO parley_insights
  USING (tenant_id = parley_tenant() AND id = parley_user());
GRANT SELECT (id, tenant_id, roles) ON users TO parley_insights;

CREATE FUNCTION parley_owns() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN EXISTS (SELECT FROM users WHERE id = parley_user() AND tenant_id = parley_tenant() AND 'owner' = ANY(roles));

CREATE POLICY insights ON usage FOR SELECT TO parley_insights
  USING (tenant_id = parley_tenant() AND (SELECT parley_owns()));
CREATE POLICY insights ON runs FOR SELECT TO parley_insights
  USING (tenant_id = parley_tenant() AND (SELECT parley_owns()));
CREATE POLICY insights ON steps FOR SELECT TO parley_insights
  USING (tenant_id = parley_tenant() AND (SELECT parley_owns()));
GRANT SELECT (tenant_id, user_id, provider, model, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens,
  cost_micros, first_token_ms, duration_ms, created_at) ON usage TO parley_insights;
GRANT SELECT (tenant_id, user_id, status, error, created_at, started_at, finished_at) ON runs TO parley_insights;
GRANT SELECT (tenant_id, kind, name, status, started_at, finished_at) ON steps TO parley_insights;
