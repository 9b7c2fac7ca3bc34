CREATE TABLE "folders" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "shares" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"token_hash" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "folder_id" uuid;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "pinned_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "archived_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "deleted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "folders" ADD CONSTRAINT "folders_tenant_id_tenants_tenant_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("tenant_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "folders" ADD CONSTRAINT "folders_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shares" ADD CONSTRAINT "shares_tenant_id_tenants_tenant_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("tenant_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shares" ADD CONSTRAINT "shares_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "shares" ADD CONSTRAINT "shares_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "folders_user" ON "folders" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "shares_conversation" ON "shares" USING btree ("conversation_id");--> statement-breakpoint
CREATE UNIQUE INDEX "shares_token_hash" ON "shares" USING btree ("token_hash");--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_folder_id_folders_id_fk" FOREIGN KEY ("folder_id") REFERENCES "public"."folders"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approvals_conversation" ON "approvals" USING btree ("conversation_id");--> statement-breakpoint
CREATE INDEX "conversations_pinned" ON "conversations" USING btree ("user_id","pinned_at") WHERE pinned_at is not null;--> statement-breakpoint
CREATE INDEX "conversations_folder" ON "conversations" USING btree ("folder_id","updated_at" DESC NULLS FIRST,"id" DESC NULLS FIRST) WHERE folder_id is not null;--> statement-breakpoint
CREATE INDEX "conversations_deleted" ON "conversations" USING btree ("deleted_at") WHERE deleted_at is not null;

-- By hand from here on: who may do what, as in 0001.
ALTER TABLE folders ENABLE ROW LEVEL SECURITY;
ALTER TABLE folders FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON folders TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT, UPDATE (name), DELETE ON folders TO parley_app;

ALTER TABLE shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE shares FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON shares TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON shares TO parley_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON shares TO parley_app;
GRANT SELECT (id) ON shares TO parley_system;

-- A third role: whoever has a link reads what it opens, and nothing else. The setting holds the SHA-256 of the link's
-- token; without a row of that hash in the reader's own tenant there is nothing to see.
GRANT USAGE ON SCHEMA public TO parley_reader;

CREATE POLICY reader ON shares FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND token_hash = nullif(current_setting('parley.share', true), ''));
GRANT SELECT ON shares TO parley_reader;

CREATE FUNCTION parley_shared() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (SELECT conversation_id FROM shares
    WHERE tenant_id = parley_tenant() AND token_hash = nullif(current_setting('parley.share', true), ''));
CREATE FUNCTION parley_sharer() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  RETURN (SELECT user_id FROM shares
    WHERE tenant_id = parley_tenant() AND token_hash = nullif(current_setting('parley.share', true), ''));

CREATE POLICY reader ON conversations FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND id = (SELECT parley_shared()) AND deleted_at IS NULL);
CREATE POLICY reader ON messages FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND conversation_id = (SELECT parley_shared()));
CREATE POLICY reader ON runs FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND conversation_id = (SELECT parley_shared()));
CREATE POLICY reader ON approvals FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND conversation_id = (SELECT parley_shared()));
CREATE POLICY reader ON users FOR SELECT TO parley_reader
  USING (tenant_id = parley_tenant() AND id = (SELECT parley_sharer()));
GRANT SELECT ON conversations, messages, runs, approvals TO parley_reader;
GRANT SELECT (id, tenant_id, name) ON users TO parley_reader;

GRANT SELECT (deleted_at) ON conversations TO parley_system;

-- A fourth: what removes conversations for good sees and deletes those that were deleted a week ago, with all that
-- belongs to them, and nothing else.
GRANT USAGE ON SCHEMA public TO parley_purger;

CREATE POLICY purger ON conversations TO parley_purger USING (deleted_at <= now() - interval '7 days');
CREATE POLICY purger ON messages TO parley_purger
  USING (EXISTS (SELECT FROM conversations c WHERE c.id = conversation_id));
CREATE POLICY purger ON runs TO parley_purger
  USING (EXISTS (SELECT FROM conversations c WHERE c.id = conversation_id));
CREATE POLICY purger ON steps TO parley_purger USING (EXISTS (SELECT FROM runs r WHERE r.id = run_id));
CREATE POLICY purger ON approvals TO parley_purger
  USING (EXISTS (SELECT FROM conversations c WHERE c.id = conversation_id));
CREATE POLICY purger_sees ON file_uses FOR SELECT TO parley_purger USING (true);
CREATE POLICY purger ON file_uses FOR DELETE TO parley_purger
  USING (EXISTS (SELECT FROM conversations c WHERE c.id = conversation_id));
-- Files to which no conversation refers that somebody may still see.
CREATE POLICY purger ON files TO parley_purger USING (
  EXISTS (SELECT FROM file_uses u WHERE u.file_id = files.id)
  AND NOT EXISTS (SELECT FROM file_uses u WHERE u.file_id = files.id
    AND NOT EXISTS (SELECT FROM conversations c WHERE c.id = u.conversation_id)));
GRANT SELECT (id, deleted_at), DELETE ON conversations TO parley_purger;
GRANT SELECT (id, conversation_id, seq), DELETE ON messages TO parley_purger;
GRANT SELECT (id, conversation_id), DELETE ON runs TO parley_purger;
GRANT SELECT (id, run_id), DELETE ON steps TO parley_purger;
GRANT SELECT (id, conversation_id), DELETE ON approvals TO parley_purger;
GRANT SELECT (conversation_id, file_id), DELETE ON file_uses TO parley_purger;
GRANT SELECT (id), DELETE ON files TO parley_purger;
