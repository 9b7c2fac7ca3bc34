import { storeContracts } from "../../test/contracts/stores.ts";
import { openTestPglite } from "../../test/support/pglite.ts";

storeContracts("PGlite", openTestPglite);
