CREATE TABLE "nodes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"fit" boolean NOT NULL,
	"told_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint

-- What nodes say of themselves is no tenant's, and nobody's but the server's.
ALTER TABLE nodes ENABLE ROW LEVEL SECURITY;
ALTER TABLE nodes FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON nodes TO parley_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON nodes TO parley_system;

-- Uploads that no message ever referred to. UPDATE is for the lock alone: a message may be sent while one is removed.
CREATE POLICY purger_unused ON files TO parley_purger USING (
  created_at <= now() - interval '7 days'
  AND NOT EXISTS (SELECT FROM file_uses u WHERE u.file_id = files.id));
GRANT SELECT (created_at), UPDATE (id) ON files TO parley_purger;
