/** All contracts of a store, for an adapter's test. */
import { storeAcceptContract } from "./store-accept.ts";
import { storeApprovalsContract } from "./store-approvals.ts";
import { storeBranchesContract } from "./store-branches.ts";
import { storeInsightsContract } from "./store-insights.ts";
import { storeIsolationContract } from "./store-isolation.ts";
import { storeJournalContract } from "./store-journal.ts";
import { storeLeasesContract } from "./store-leases.ts";
import { storeLibraryContract } from "./store-library.ts";
import { storeOrganiseContract } from "./store-organise.ts";
import { storeRunsContract } from "./store-runs.ts";
import { storeSteersContract } from "./store-steers.ts";
import { type OpenDatabase, storeContract } from "./store.ts";

export function storeContracts(name: string, open: OpenDatabase): void {
  storeContract(name, open);
  storeRunsContract(name, open);
  storeAcceptContract(name, open);
  storeLeasesContract(name, open);
  storeJournalContract(name, open);
  storeApprovalsContract(name, open);
  storeSteersContract(name, open);
  storeBranchesContract(name, open);
  storeLibraryContract(name, open);
  storeOrganiseContract(name, open);
  storeInsightsContract(name, open);
  storeIsolationContract(name, open);
}
