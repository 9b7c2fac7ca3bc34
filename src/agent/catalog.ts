/** Which provider serves which model, which one is asked when none was chosen, and which ones when that fails. */
import type { ModelProvider } from "../ports/model.ts";
import type { ModelCatalog } from "../ports/services.ts";
import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { ModelInfo } from "../protocol/shapes.ts";

export interface CatalogOptions {
  /** Without it: the first available model that is no demo and was not found by chance, else the first available. */
  readonly defaultModel?: string | undefined;
  /** [R9] Asked in this order when a model can't be had. */
  readonly fallbackModels?: readonly string[];
}

/** The operator's own keys. */
const SERVER_KEY = "server";

/**
 * The models of some providers, in their order. The first that lists an id as available serves it; an id that nobody
 * lists goes to the provider of its first segment, if that passes ids through. Throws `StartError` when a model of
 * `options` can't be used.
 */
export function createModelCatalog(providers: readonly ModelProvider[], options: CatalogOptions = {}): ModelCatalog {
  const { defaultModel, fallbackModels = [] } = options;
  const list = () => providers.flatMap((provider) => provider.list());
  const first = firstOf(providers)?.id;
  if (first === undefined) throw new StartError("No model is available.");
  for (const model of [defaultModel ?? first, ...fallbackModels]) {
    if (serving(providers, model) !== undefined) continue;
    const known = list().filter((info) => info.available);
    const ids = known.map((info) => info.id).join(", ");
    throw new StartError(`The model "${model}" is not available; is its key set? There is: ${ids}.`);
  }

  function provider(model: string): ModelProvider {
    const found = serving(providers, model);
    if (found === undefined) throw new ParleyError("MODEL_UNAVAILABLE");
    return found;
  }

  return {
    list,
    // A server that tells its models itself tells them when it was asked, or is up.
    get defaultModel() {
      return defaultModel ?? firstOf(providers)?.id ?? first;
    },
    provider,
    chain(model) {
      const chosen = { model, provider: provider(model), keyId: SERVER_KEY };
      const others = [...new Set(fallbackModels)].flatMap((id) => {
        const found = id === model ? undefined : serving(providers, id);
        return found === undefined ? [] : [{ model: id, provider: found, keyId: SERVER_KEY }];
      });
      return [chosen, ...others];
    },
  };
}

function firstOf(providers: readonly ModelProvider[]): ModelInfo | undefined {
  const configured = providers.filter(({ found }) => found !== true).flatMap((provider) => provider.list());
  const available = configured.filter((info) => info.available);
  return available.find((info) => info.demo !== true) ?? available[0];
}

function serving(providers: readonly ModelProvider[], model: string): ModelProvider | undefined {
  let listed = false;
  for (const provider of providers) {
    const info = provider.list().find(({ id }) => id === model);
    if (info?.available === true) return provider;
    listed ||= info !== undefined;
  }
  // What is listed as not available is not reached by another way.
  if (listed) return undefined;
  return providers.find(({ name, passesThrough }) => passesThrough && isBelow(name, model));
}

const isBelow = (provider: string, model: string): boolean =>
  model.startsWith(`${provider}/`) && model.length > provider.length + 1;
