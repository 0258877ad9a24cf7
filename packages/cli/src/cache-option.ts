import { ArgumentError, knownNames } from "@qkv/core";
import {
  growingCache,
  pagedCache,
  prefixCache,
  quantizedCache,
  rollingCache,
  staticCache,
  type KvCache,
} from "@qkv/kv-cache";

/** Sizes of a model that a cache depends on. */
export type CacheModel = { readonly numLayers: number; readonly contextLength: number };

const pageLength = 16;
const pagesFor = ({ contextLength }: CacheModel) => Math.ceil(contextLength / pageLength);
const kinds: Readonly<Record<string, (model: CacheModel, windowSize: number) => KvCache>> = {
  growing: ({ numLayers }) => growingCache({ numLayers }),
  static: ({ numLayers, contextLength }) => staticCache({ numLayers, maxLength: contextLength }),
  rolling: ({ numLayers }, windowSize) => rollingCache({ numLayers, windowSize }),
  paged: (model) => pagedCache({ numLayers: model.numLayers, pages: pagesFor(model), pageLength }),
  prefix: (model) => prefixCache({ numLayers: model.numLayers, pages: pagesFor(model), pageLength }),
  quantized: ({ numLayers }) => quantizedCache({ numLayers }),
};

/** Names that `--cache` accepts, for its help. */
export const cacheNames: readonly string[] = Object.keys(kinds).map((name) =>
  name === "rolling" ? "rolling[:WINDOW]" : name,
);

/** Returns the constructor of the cache that `--cache` names. */
export function cacheOption(name: string): (model: CacheModel) => KvCache {
  const [, kind = "", digits] = /^(\w+)(?::(\d+))?$/.exec(name) ?? [];
  const createCache = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  const windowSize = digits === undefined ? undefined : Number(digits);
  if (createCache && (windowSize === undefined || (kind === "rolling" && windowSize > 0))) {
    return (model) => createCache(model, windowSize ?? model.contextLength);
  }
  throw new ArgumentError({
    fn: "qkv",
    argument: "--cache",
    received: name,
    expected: `a cache: ${knownNames(name, cacheNames, "`qkv generate --help`")}`,
    fix: "leave --cache out for `growing`, which holds every token; `rolling:64` keeps the last 64.",
  });
}
