CREATE TABLE "allowed_tools" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"tool" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "allowed_tools_tenant_id_user_id_tool_pk" PRIMARY KEY("tenant_id","user_id","tool")
);
--> statement-breakpoint
CREATE TABLE "approvals" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"run_id" uuid NOT NULL,
	"message_id" uuid NOT NULL,
	"part_index" integer NOT NULL,
	"tool_call_id" text NOT NULL,
	"tool" text NOT NULL,
	"args" jsonb NOT NULL,
	"decided_args" jsonb,
	"reason" text NOT NULL,
	"summary" text NOT NULL,
	"status" text NOT NULL,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"decided_at" timestamp (3) with time zone,
	"decided_by" uuid,
	CONSTRAINT "approvals_status" CHECK (status in ('pending', 'approved', 'denied', 'expired', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "file_uses" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"file_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "file_uses_conversation_id_file_id_pk" PRIMARY KEY("conversation_id","file_id")
);
--> statement-breakpoint
CREATE TABLE "files" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"media_type" text NOT NULL,
	"size" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "memories" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"text" text NOT NULL,
	"words" "tsvector" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "usage" (
	"step_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"conversation_id" uuid NOT NULL,
	"run_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"input_tokens" bigint DEFAULT 0 NOT NULL,
	"output_tokens" bigint DEFAULT 0 NOT NULL,
	"cached_input_tokens" bigint,
	"reasoning_tokens" bigint,
	"cost_micros" bigint,
	"first_token_ms" integer,
	"duration_ms" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "steps" ALTER COLUMN "finished_at" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "plan" jsonb;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "usage" jsonb;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "error" jsonb;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "placed" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "cached_input_tokens" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "reasoning_tokens" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "usage_before" jsonb;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "waiting_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "name" text NOT NULL DEFAULT '';--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "tool_call_id" text;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "cached_input_tokens" bigint;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "reasoning_tokens" bigint;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "cost_micros" bigint;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "answer" jsonb;--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "continuation" json;--> statement-breakpoint
ALTER TABLE "allowed_tools" ADD CONSTRAINT "allowed_tools_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "approvals" ADD CONSTRAINT "approvals_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "file_uses" ADD CONSTRAINT "file_uses_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "file_uses" ADD CONSTRAINT "file_uses_file_id_files_id_fk" FOREIGN KEY ("file_id") REFERENCES "public"."files"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_tenant_id_tenants_tenant_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("tenant_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_tenant_id_tenants_tenant_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("tenant_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approvals_expiry" ON "approvals" USING btree ("expires_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "approvals_pending" ON "approvals" USING btree ("user_id","requested_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "approvals_run" ON "approvals" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "file_uses_file" ON "file_uses" USING btree ("file_id","created_at");--> statement-breakpoint
CREATE INDEX "memories_recent" ON "memories" USING btree ("user_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "usage_recent" ON "usage" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE INDEX "runs_queue" ON "runs" USING btree ("conversation_id","position") WHERE status = 'queued' and started_at is null;

-- By hand from here on: what the rows that are there get, then who may do what, as in 0001.
-- FORCE hides every row from the tables' owner; without it, for these statements, the owner is not bound.
ALTER TABLE conversations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
ALTER TABLE runs NO FORCE ROW LEVEL SECURITY;
ALTER TABLE steps NO FORCE ROW LEVEL SECURITY;

UPDATE steps s SET name = r.model FROM runs r WHERE r.id = s.run_id;
ALTER TABLE steps ALTER COLUMN name DROP DEFAULT;

-- Questions that wait in the queue, or left it unanswered: they follow nothing, and nothing follows them.
UPDATE runs r SET placed = false
FROM messages q, conversations c
WHERE q.id = r.user_message_id AND c.id = r.conversation_id
  AND r.started_at IS NULL AND q.parent_id IS NULL AND c.head_id IS DISTINCT FROM q.id
  AND NOT EXISTS (SELECT FROM messages m WHERE m.conversation_id = c.id AND m.parent_id = q.id);

UPDATE messages m SET
  usage = CASE WHEN r.status IN ('completed', 'failed', 'stopped')
    THEN jsonb_build_object('inputTokens', r.input_tokens, 'outputTokens', r.output_tokens) END,
  error = CASE WHEN r.status = 'failed' THEN r.error END
FROM runs r WHERE r.assistant_message_id = m.id;

ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
ALTER TABLE steps FORCE ROW LEVEL SECURITY;

GRANT UPDATE (placed) ON runs TO parley_system;

ALTER TABLE approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON approvals TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON approvals TO parley_system USING (true);
GRANT SELECT, INSERT, UPDATE ON approvals TO parley_app;
GRANT SELECT (id, tenant_id, user_id, conversation_id, status, expires_at) ON approvals TO parley_system;

ALTER TABLE allowed_tools ENABLE ROW LEVEL SECURITY;
ALTER TABLE allowed_tools FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON allowed_tools TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT ON allowed_tools TO parley_app;

ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON files TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
CREATE POLICY system ON files TO parley_system USING (true);
GRANT SELECT, INSERT, DELETE ON files TO parley_app;
GRANT SELECT (id) ON files TO parley_system;

ALTER TABLE file_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE file_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON file_uses TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT ON file_uses TO parley_app;

ALTER TABLE memories ENABLE ROW LEVEL SECURITY;
ALTER TABLE memories FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON memories TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT, UPDATE (text, words), DELETE ON memories TO parley_app;

-- What was spent is written once and never changed.
ALTER TABLE usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage FORCE ROW LEVEL SECURITY;
CREATE POLICY app ON usage TO parley_app USING (tenant_id = parley_tenant() AND user_id = parley_user());
GRANT SELECT, INSERT ON usage TO parley_app;
