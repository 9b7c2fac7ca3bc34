import type { ShareService } from "../ports/services.ts";
import type { Store } from "../ports/store.ts";
import { uuidv7 } from "../protocol/id.ts";
import { hashSecret, newSecret } from "./secrets.ts";
import { readerOf } from "./share-reader.ts";

/** `revoked`: tells all nodes. */
export const createShareService = (store: Store["shares"], revoked: ShareService["revoked"]): ShareService => ({
  async create(scope, conversationId) {
    const shareToken = newSecret();
    const created = await store.create(scope, { id: uuidv7(), conversationId, tokenHash: hashSecret(shareToken) });
    if (created === null) return null;
    if (created.revoked !== null) revoked(created.revoked);
    return { share: created.share, shareToken };
  },

  async revoke(scope, conversationId) {
    const shareId = await store.revoke(scope, conversationId);
    if (shareId !== null) revoked(shareId);
  },

  open: (scope, shareToken) => store.open(readerOf(scope, shareToken)),

  revoked,
});
