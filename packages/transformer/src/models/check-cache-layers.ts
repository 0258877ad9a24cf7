import type { Cache } from "@qkv/attention-contract";
import type { Checks } from "@qkv/core";

/**
 * Refuses a value that is not a cache, and a cache with another number of layers than the model fills. The number is checked
 * only for models in which some layers fill no or two cache layers; an unfilled cache layer would have length 0.
 *
 * @param parts - For each layer of the model, the number of cache layers that it fills.
 */
export function checkCacheLayers(check: Checks, cache: Cache | undefined, parts: readonly number[]): void {
  if (cache === undefined) return;
  const isCache = () => typeof (cache as Partial<Cache> | null)?.update === "function";
  check.each({ cache }, isCache, "a cache", "make one with `cacheFor(model.config)`.");
  const { numLayers } = cache as { numLayers?: number };
  const filled = parts.reduce((sum, count) => sum + count, 0);
  if (numLayers === undefined || numLayers === filled || parts.every((count) => count === 1) || filled === 0)
    return;
  check.refuse({
    argument: "cache",
    received: `a cache of ${numLayers} layers`,
    expected: `one of ${filled}: of this model's ${parts.length} layers, some fill none or two`,
    fix: `make it with \`cacheFor(model.config)\`, or give it ${filled} layers.`,
  });
}
