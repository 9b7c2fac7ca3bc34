import { after, before, describe } from "node:test";
import { storeIsolationContract } from "../../test/contracts/store-isolation.ts";
import { storeLeasesContract } from "../../test/contracts/store-leases.ts";
import { storeRunsContract } from "../../test/contracts/store-runs.ts";
import { storeContract } from "../../test/contracts/store.ts";
import { migrationsDir, openTestPglite } from "../../test/support/pglite.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { openPostgres } from "./database.postgres.ts";

describe("store on PGlite", () => {
  storeContract("PGlite", openTestPglite);
  storeRunsContract("PGlite", openTestPglite);
  storeLeasesContract("PGlite", openTestPglite);
  storeIsolationContract("PGlite", openTestPglite);
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
  storeIsolationContract("PostgreSQL", open);
});
