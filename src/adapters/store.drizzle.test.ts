import { join } from "node:path";
import { after, before, describe } from "node:test";
import { storeLeasesContract } from "../../test/contracts/store-leases.ts";
import { storeRunsContract } from "../../test/contracts/store-runs.ts";
import { storeContract } from "../../test/contracts/store.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { openPglite } from "./database.pglite.ts";
import { openPostgres } from "./database.postgres.ts";

const migrationsDir = join(import.meta.dirname, "../../migrations");

describe("store on PGlite", () => {
  const open = () => openPglite({ migrationsDir });
  storeContract("PGlite", open);
  storeRunsContract("PGlite", open);
  storeLeasesContract("PGlite", open);
});

describe("store on PostgreSQL", () => {
  let postgres: Postgres;
  let databases = 0;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());

  const open = async () => openPostgres({ url: await postgres.createDatabase(`store_${++databases}`), migrationsDir });
  storeContract("PostgreSQL", open);
  storeRunsContract("PostgreSQL", open);
  storeLeasesContract("PostgreSQL", open);
});
