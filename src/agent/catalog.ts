/** Which provider serves which model. */
import type { ModelProvider } from "../ports/model.ts";
import type { ModelCatalog } from "../ports/services.ts";
import { ParleyError } from "../protocol/errors.ts";

/**
 * The models of some providers, in their order; the first that lists an id serves it. `defaultModel` must be one of
 * them; without it the first available model is the default.
 */
export function createModelCatalog(providers: readonly ModelProvider[], defaultModel?: string): ModelCatalog {
  const list = () => providers.flatMap((provider) => provider.list());

  function find(model: string): ModelProvider | undefined {
    return providers.find((provider) => provider.list().some((info) => info.id === model && info.available));
  }

  const chosen = defaultModel ?? list().find((info) => info.available)?.id;
  if (chosen === undefined) throw new Error("No model is available.");
  if (find(chosen) === undefined) {
    const known = list().map((info) => info.id);
    throw new Error(`The default model "${chosen}" is not available. There is: ${known.join(", ")}.`);
  }

  return {
    list,
    defaultModel: chosen,
    provider(model) {
      const provider = find(model);
      if (provider === undefined) throw new ParleyError("MODEL_UNAVAILABLE");
      return provider;
    },
  };
}
