import { checks, knownNames } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import type { KvCache } from "./cache.js";
import { isCache } from "./check-change.js";
import { checkLayer } from "./check-state.js";
import { readSaved, refuseSaved, writeSaved } from "./saved.js";

/**
 * A cache whose layers share entries (cross-layer KV sharing): layer i reads the entries of layer `reads[i]`, which are stored
 * once. An entry is the keys and values of a layer, or its state.
 *
 * A layer that reads itself calls `update` or `advance`, as usual. Layers that share its entries call `read(layer)` or
 * `state(layer)` afterwards, which already include the tokens of the same step; for them, `update` and `advance` throw an error.
 *
 * @param cache - The cache of the entries: it has one layer for each layer of the model that reads itself, in the same order.
 *   It must not be used directly afterwards.
 * @param reads - For each layer of the model, the layer whose entries it reads: itself, or an earlier layer that reads itself.
 *   With `[0, 1, 0, 1]`, two layers store entries and two reuse them.
 * @throws {ArgumentError} If a layer reads one that stores nothing, or the cache has another number of layers; and from
 *   `update` and `advance` of a layer that reads another.
 * @see "You Only Cache Once" (2024), arXiv:2405.05254; "Reducing Transformer Key-Value Cache Size with Cross-Layer
 *   Attention" (2024), arXiv:2405.12981
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { growingCache, sharedCache } from "@qkv/kv-cache";
 *
 * const cache = sharedCache(growingCache({ numLayers: 2 }), [0, 1, 1, 1]);
 * const x = randn([1, 2, 5, 8], { seed: 1 }); // [B, Hkv, T, D]
 * cache.update(0, x, x);
 * cache.update(1, x, x);
 * [cache.numLayers, cache.bytes]; // => [4, 1280]
 * cache.update(2, x, x); // => throws ArgumentError: `layer` is 2, expected 0 or 1, the layers that store entries
 * ```
 */
export function sharedCache(cache: KvCache, reads: readonly number[]): KvCache {
  const check = checks("sharedCache");
  check.each({ cache }, isCache, "a cache", "make one, for example with `growingCache({ numLayers })`.");
  const fix =
    "give for each layer its own number, or that of an earlier layer that stores entries: `[0, 1, 0, 1]`.";
  check.list({ reads }, "layers", Number.isInteger, fix);
  const layers = Array.from(reads);
  const wrong = layers.findIndex((layer, i) => layer < 0 || layer > i || layers[layer] !== layer);
  if (wrong >= 0 || layers.length === 0) {
    check.refuse({
      argument: "reads",
      received: wrong < 0 ? "an empty list" : `layer ${wrong} reading layer ${layers[wrong]}`,
      expected: "layers that read themselves, or an earlier layer that reads itself",
      fix,
    });
  }
  const owners = layers.filter((layer, i) => layer === i);
  if (cache.numLayers !== owners.length) {
    check.refuse({
      argument: "cache",
      received: `one of ${cache.numLayers} layers`,
      expected: `one of ${owners.length} layers, those that read themselves: ${knownNames(undefined, owners, "`reads`")}`,
      fix: `make it with \`numLayers: ${owners.length}\`.`,
    });
  }
  return shared(cache, layers);
}

function shared(cache: KvCache, reads: readonly number[]): KvCache {
  const owners = reads.filter((layer, i) => layer === i);
  const form = `shared ${reads.join()}`;
  /** The layer of `cache` that holds the entries which a layer of the model reads. */
  const readLayer = (fn: string, layer: number): number => {
    checkLayer(fn, layer, reads.length);
    return owners.indexOf(reads[layer]!);
  };
  /** The same for a layer that writes. Refuses one that reads the entries of another. */
  const writeLayer = (fn: string, layer: number): number => {
    const inner = readLayer(fn, layer);
    if (reads[layer] === layer) return inner;
    return checks(fn).refuse({
      argument: "layer",
      received: layer,
      expected: `${knownNames(layer, owners, "`reads`").replace(/, (\d+)$/, " or $1")}, the layers that store entries`,
      fix: `layer ${layer} reads those of layer ${reads[layer]}: call \`read\` or \`state\`, which append nothing.`,
    });
  };
  return {
    ...(cache.unrotatedKeys !== undefined && { unrotatedKeys: cache.unrotatedKeys }),
    numLayers: reads.length,
    update: (layer, key, value, query) => cache.update(writeLayer("update", layer), key, value, query),
    read: (layer) => cache.read(readLayer("read", layer)),
    state: (layer) => cache.state(readLayer("state", layer)),
    advance: (layer, state, tokens) => cache.advance(writeLayer("advance", layer), state, tokens),
    get length() {
      return cache.length;
    },
    get lengths() {
      return cache.lengths;
    },
    get stored() {
      return cache.stored;
    },
    get bytes() {
      return cache.bytes;
    },
    crop: (length) => cache.crop(length),
    discard: (start, end) => cache.discard(start, end),
    fork: () => shared(cache.fork(), reads),
    reorder: (ids) => cache.reorder(ids),
    repeat: (times) => cache.repeat(times),
    reset: () => cache.reset(),
    save: () => writeSaved(form, [{ tensors: { file: tensor(cache.save()) }, numbers: {} }]),
    restore(bytes, device) {
      const file = readSaved(form, bytes, 1, undefined)[0]?.tensors["file"];
      if (file?.dtype !== "uint8")
        refuseSaved("0.file", file?.dtype, "the saved file of one cache, in uint8", "restore another copy.");
      cache.restore(file.data as Uint8Array, device);
    },
  };
}
