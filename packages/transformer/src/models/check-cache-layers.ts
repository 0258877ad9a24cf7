import type { Cache } from "@qkv/attention-contract";
import type { Checks } from "@qkv/core";

/**
 * Refuses a cache with more or fewer layers than a model fills, where these are not as many as the model has: one that is
 * never filled would count no tokens.
 *
 * @param parts - Of each layer of the model, the layers of a cache that it fills.
 */
export function checkCacheLayers(check: Checks, cache: Cache | undefined, parts: readonly number[]): void {
  const { numLayers } = (cache ?? {}) as { numLayers?: number };
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
