import { checks, type Checks } from "@qkv/core";
import { padding } from "@qkv/attention";
import type { KeyValues, Mask } from "@qkv/attention-contract";
import type { KvCache } from "@qkv/kv-cache";
import { isTensor, mapTensors, resident, take, tensor, type Tensor } from "@qkv/tensor";

/** An encoded source, with the keys and values of the decoder's cross-attention. */
export type EncodedSource = {
  /** The encoder's output, `[B, S, C]`. */
  readonly rows: Tensor;
  /** Keys and values of cross-attention, per decoder layer. */
  readonly keyValues: readonly KeyValues[];
  /** Number of positions of each batch without padding. Absent without padding. */
  readonly lengths?: readonly number[];
  /** Padding mask. Absent without padding. */
  readonly mask?: Mask;
};

/** Lengths of a source and its padding mask; an empty object without padding. */
export function paddedLengths(
  lengths: readonly number[] | undefined,
  longest: number,
): Pick<EncodedSource, "lengths" | "mask"> {
  if (!lengths || lengths.every((length) => length === longest)) return {};
  return { lengths, mask: padding(lengths) };
}

/** Makes a source outlive the current scope, so that it can be used for generation. */
export const residentSource = ({ rows, keyValues, ...padding }: EncodedSource): EncodedSource => ({
  rows: resident(rows),
  keyValues: mapTensors(keyValues, resident),
  ...padding,
});

/** A cache of a decoder with its encoded source. */
export type SourceCache = KvCache & { readonly source: EncodedSource };

/**
 * Combines the cache of a decoder's tokens with the encoded source. `reorder` and `repeat` also apply to the batches of
 * the source; `reset` restores the original source. `save` stores only the tokens of the decoder.
 *
 * @param cache - An empty cache, from `cacheFor(model.config)`.
 *
 * @example
 * ```ts
 * import { cacheFor, encoderDecoder, sourceCache } from "@qkv/transformer";
 *
 * const { config, init, encode, apply } = encoderDecoder({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, contextLength: 32, startIds: [2], stopIds: [2],
 * });
 * const params = init(1);
 * const cache = sourceCache(cacheFor(config), encode(params, [3, 1, 4]));
 * apply(params, [2], { cache }).shape; // => [1, 1, 11]
 * apply(params, [7], { cache });
 * cache.length; // => 2
 * ```
 */
export function sourceCache(cache: KvCache, source: EncodedSource): SourceCache {
  const check: Checks = checks("sourceCache");
  const isCache = (value: unknown) => typeof (value as Partial<KvCache> | null)?.reorder === "function";
  check.each({ cache }, isCache, "a cache", "make one with `cacheFor(model.config)`.");
  const isSource = (value: unknown) => Array.isArray((value as Partial<EncodedSource> | null)?.keyValues);
  check.each({ source }, isSource, "a source that was encoded", "call `model.encode(model.params, ids)`.");
  return withBatches(cache, source, source, undefined);
}

/**
 * A cache whose source follows `reorder` and `repeat`.
 *
 * @param original - The source to which `reset` returns.
 * @param current - The batches of `original` that the cache uses now.
 * @param batches - For each batch of the cache, its index in `original`. Undefined: equal indices.
 */
function withBatches(
  cache: KvCache,
  original: EncodedSource,
  current: EncodedSource,
  batches: readonly number[] | undefined,
): SourceCache {
  const allBatches = () => Array.from({ length: original.rows.shape[0]! }, (_, b) => b);
  let [source, chosen] = [current, batches ?? allBatches()];
  const choose = (ids: readonly number[]) => {
    const next = ids.map((id) => chosen[id]!);
    // Beams of one prompt have the same source, so usually nothing has to be copied.
    if (next.length === chosen.length && next.every((batch, i) => batch === chosen[i])) return;
    [source, chosen] = [selectBatches(original, next), next];
  };
  const { unrotatedKeys } = cache;
  return {
    ...(unrotatedKeys !== undefined && { unrotatedKeys }),
    numLayers: cache.numLayers,
    get source() {
      return source;
    },
    update: (layer, key, value, query) => cache.update(layer, key, value, query),
    read: (layer) => cache.read(layer),
    state: (layer) => cache.state(layer),
    advance: (layer, state, tokens) => cache.advance(layer, state, tokens),
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
    fork: () => withBatches(cache.fork(), original, source, chosen),
    reorder(ids) {
      cache.reorder(ids);
      choose(ids);
    },
    repeat(times) {
      cache.repeat(times);
      choose(chosen.flatMap((_, b) => Array.from({ length: times }, () => b)));
    },
    reset() {
      cache.reset();
      [source, chosen] = [original, allBatches()];
    },
    save: () => cache.save(),
    restore: (bytes, device) => cache.restore(bytes, device),
  };
}

/** Selects batches of a source. */
function selectBatches({ rows, keyValues, lengths }: EncodedSource, ids: readonly number[]): EncodedSource {
  const indices = tensor(Int32Array.from(ids), { device: rows.device });
  const select = (x: Tensor) => resident(take(x, 0, indices));
  const selectedLengths = lengths && ids.map((id) => lengths[id]!);
  return {
    rows: select(rows),
    keyValues: keyValues.map(({ key, value, positions }) => ({
      key: key.map((part) => (isTensor(part) ? select(part) : part)),
      value: value.map((part) => (isTensor(part) ? select(part) : part)),
      positions,
    })),
    ...paddedLengths(selectedLengths, rows.shape[1]!),
  };
}
