/**
 * Brings a database to the state that migrations/ describes: every file once, in the order of their names, all of
 * them in one transaction under a lock, so that any number of processes may start at once and a start that is killed
 * leaves nothing half done.
 *
 * What it refuses to touch, with a sentence that says what to do: a database that knows a migration this program
 * does not (it is newer), and one whose applied migration differs from the file of that name.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "../ports/start-error.ts";
import { codeOf } from "./database-errors.ts";

/** One connection, as its owner, outside of any transaction. */
export interface MigrationClient {
  /** One or more statements without parameters; the rows of the last. */
  exec(text: string): Promise<readonly Record<string, unknown>[]>;
  query(text: string, values: unknown[]): Promise<readonly Record<string, unknown>[]>;
}

interface Migration {
  readonly name: string;
  readonly hash: string;
  readonly text: string;
}

/** Any number that no other program on the database uses: "parley" in ASCII. */
const LOCK = "123563833845113";
/** Longest wait for another start that migrates, ms. */
const LOCK_TIMEOUT_MS = 60_000;

export async function migrate(client: MigrationClient, directory: string): Promise<void> {
  const migrations = await load(directory);
  await makeRoles(client);
  await client.exec(
    `begin; set local statement_timeout = 0; set local lock_timeout = ${LOCK_TIMEOUT_MS}; ` +
      `select pg_advisory_xact_lock(${LOCK})`,
  );
  try {
    await client.exec(
      "create table if not exists parley_migrations " +
        "(name text primary key, hash text not null, applied_at timestamptz not null default now())",
    );
    const applied = await client.query("select name, hash from parley_migrations order by name", []);
    for (const migration of pending(
      migrations,
      applied.map(({ name, hash }) => [String(name), String(hash)]),
    )) {
      await client.exec(migration.text);
      await client.query("insert into parley_migrations (name, hash) values ($1, $2)", [
        migration.name,
        migration.hash,
      ]);
    }
    await client.exec("commit");
  } catch (error) {
    // On a lost connection there is nothing to roll back, and the first error is the one to tell.
    await client.exec("rollback").catch(() => undefined);
    throw error;
  }
}

async function load(directory: string): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).toSorted();
  if (files.length === 0) throw new StartError(`No migrations in ${directory}: the installation is incomplete.`);
  return Promise.all(
    files.map(async (file) => {
      const text = (await readFile(join(directory, file), "utf8")).replaceAll("\r\n", "\n");
      return { name: file.slice(0, -".sql".length), hash: createHash("sha256").update(text).digest("hex"), text };
    }),
  );
}

/** Those still to apply; throws when the database and the files do not have the same past. */
function pending(migrations: readonly Migration[], applied: readonly (readonly [string, string])[]): Migration[] {
  for (const [index, [name, hash]] of applied.entries()) {
    const migration = migrations[index];
    if (migration?.name !== name) {
      throw new StartError(
        `The database has the migration ${name}, which this program does not know: it was used by a newer version. ` +
          "Start that version, or restore a backup from before.",
      );
    }
    if (migration.hash !== hash) {
      throw new StartError(
        `The migration ${name} differs from the one that was applied to this database. ` +
          "An applied migration is never edited: restore its file and write a new one.",
      );
    }
  }
  return migrations.slice(applied.length);
}

/**
 * Roles belong to the whole cluster, where several databases may start at once and no lock spans them: creating one
 * that appears meanwhile is not an error. SET ROLE needs membership, which a superuser has by itself.
 */
const roles = `do $$
declare
  name text;
  attributes record;
begin
  foreach name in array array['parley_app', 'parley_system', 'parley_reader', 'parley_purger', 'parley_insights'] loop
    if not exists (select from pg_roles where rolname = name) then
      begin
        execute format('create role %I nologin', name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    select rolsuper or rolbypassrls as unbound into attributes from pg_roles where rolname = name;
    if attributes.unbound then
      raise exception 'The role % can bypass row-level security. Run: alter role % nosuperuser nobypassrls', name, name;
    end if;
    if not pg_has_role(current_user, name,
         case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end) then
      execute format('grant %I to %I', name, current_user);
    end if;
  end loop;
end $$`;

async function makeRoles(client: MigrationClient): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.exec(roles);
      return;
    } catch (error) {
      const code = codeOf(error);
      // XX000 "tuple concurrently updated", 23505: somebody grants the same at this moment.
      if ((code === "XX000" || code === "23505") && attempt < 5) continue;
      if (code === "42501") {
        throw new StartError(
          "The database user may not create the roles Parley works as. Ask its administrator to run: " +
            "create role parley_app nologin; create role parley_system nologin; " +
            "create role parley_reader nologin; create role parley_purger nologin; create role parley_insights nologin; " +
            "grant parley_app, parley_system, parley_reader, parley_purger, parley_insights " +
            "to <the user of DATABASE_URL>;",
          { cause: error },
        );
      }
      throw error;
    }
  }
}
