import { join } from "node:path";
import { after, before, describe } from "node:test";
import { storeContract } from "../../test/contracts/store.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { openPglite } from "./database.pglite.ts";
import { openPostgres } from "./database.postgres.ts";

const migrationsDir = join(import.meta.dirname, "../../migrations");

describe("store on PGlite", () => {
  storeContract("PGlite", () => openPglite({ migrationsDir }));
});

describe("store on PostgreSQL", () => {
  let postgres: Postgres;
  let databases = 0;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());

  storeContract("PostgreSQL", async () =>
    openPostgres({ url: await postgres.createDatabase(`store_${++databases}`), migrationsDir }),
  );
});
