import { after, before, describe } from "node:test";
import { storeContracts } from "../../test/contracts/stores.ts";
import { migrationsDir } from "../../test/support/pglite.ts";
import { type Postgres, startPostgres } from "../../test/support/postgres.ts";
import { openPostgres } from "./database.postgres.ts";

describe("store on PostgreSQL", () => {
  let postgres: Postgres;
  let databases = 0;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres.stop());

  storeContracts("PostgreSQL", async () =>
    openPostgres({ url: await postgres.createDatabase(`store_${++databases}`), migrationsDir }),
  );
});
