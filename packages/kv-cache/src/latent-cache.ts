import { checks } from "@qkv/core";
import type { HalfType } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { checkCacheOptions, checkHalfType } from "./check-change.js";
import { contiguousStore, doubling } from "./contiguous-store.js";
import { keyValueCache } from "./key-value-cache.js";
import { latentRows } from "./latent-rows.js";
import { storageFormat, layoutWithType } from "./row-layout.js";

export type LatentOptions = {
  /** Width of a latent: `kv_lora_rank` of a Hugging Face config. */
  latentDim: number;
  /** Number of layers that write to it. Default 1. */
  numLayers?: number;
  /** Stores latents and rotary keys in 16 bits, half the memory, each number rounded to the nearest. Default: as they are given. */
  dtype?: HalfType;
};

/**
 * A cache for multi-head latent attention (MLA): for each token it stores one latent of `latentDim` numbers and one rotary
 * key, both shared by all heads. It grows as {@link growingCache} does.
 *
 * The key of a token is its latent followed by its rotary key, `[B, 1, T, latentDim + ropeDim]`; its value is the latent,
 * `[B, 1, T, latentDim]`. Values are returned as a view of the keys, so absorbed attention reads the latents in place.
 * `update` refuses a value that is not the beginning of its key.
 *
 * @throws {ArgumentError} If `latentDim` or `numLayers` is not an integer of at least 1, or `dtype` is not one of
 *   16 bits; from `update`, which then changes nothing, if a value is not the first `latentDim` numbers of its key.
 * @see "DeepSeek-V2" (2024), arXiv:2405.04434, section 2.1
 *
 * @example
 * ```ts
 * import { randn, slice } from "@qkv/tensor";
 * import { latentCache } from "@qkv/kv-cache";
 *
 * const cache = latentCache({ latentDim: 512 });
 * const key = randn([1, 1, 10, 576], { seed: 1 }); // [B, 1, T, latentDim + ropeDim]
 * const { value } = cache.update(0, key, slice(key, 3, 0, 512));
 * cache.bytes === 10 * 576 * 4; // => true
 * ```
 */
export function latentCache(options: LatentOptions): KvCache {
  const check = checks("latentCache");
  const { latentDim, numLayers = 1, dtype } = check.options(options, ["latentDim", "numLayers", "dtype"]);
  checkCacheOptions("latentCache", numLayers);
  checkHalfType("latentCache", dtype);
  const fix = "give the width of a latent: `kv_lora_rank` of the model's config.";
  check.whole({ latentDim }, { min: 1, unit: "elements", fix });
  const layout = layoutWithType(dtype, latentRows(latentDim));
  const stores = Array.from({ length: numLayers }, () => contiguousStore(doubling, layout));
  return keyValueCache(stores, {
    form: storageFormat(`latents of ${latentDim}`, dtype),
    unrotatedKeys: false,
  });
}
