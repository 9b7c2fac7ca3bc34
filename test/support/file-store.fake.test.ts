import { fileStoreContract } from "../contracts/file-store.ts";
import { MemoryFileStore } from "./file-store.fake.ts";

fileStoreContract("fake", () => new MemoryFileStore());
