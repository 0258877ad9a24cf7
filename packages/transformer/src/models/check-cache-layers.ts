import type { Cache } from "@qkv/attention-contract";
import type { Checks } from "@qkv/core";

/**
 * Refuses a value that is not a cache, such as its options, and a cache whose number of layers differs from what the model fills, for models in
 * which this is not the number of their layers: a layer that is never filled would have length 0.
 *
 * @param parts - For each layer of the model, the cache layers that it fills.
 */
export function checkCacheLayers(check: Checks, cache: Cache | undefined, parts: readonly number[]): void {
  if (cache === undefined) return;
  const isCache = () => typeof (cache as Partial<Cache> | null)?.update === "function";
  check.each({ cache }, isCache, "a cache", "make one with `cacheFor(model.config)`.");
  const { numLayers } = cache as { numLayers?: number };
  const filled = parts.reduce((sum, one) => sum + one, 0);
  if (numLayers === undefined || numLayers === filled || parts.every((one) => one === 1) || filled === 0)
    return;
  check.refuse({
    argument: "cache",
    received: `a cache of ${numLayers} layers`,
    expected: `one of ${filled}: of this model's ${parts.length} layers, some fill none or two`,
    fix: `make it with \`cacheFor(model.config)\`, or give it ${filled} layers.`,
  });
}
