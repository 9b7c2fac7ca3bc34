DROP INDEX "runs_times";--> statement-breakpoint
CREATE INDEX "runs_times" ON "runs" USING btree ("created_at","tenant_id") WHERE created_at is not null;