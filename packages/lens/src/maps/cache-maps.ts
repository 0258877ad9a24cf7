import { keyPositions, segmentLength, type Cache, type KeyValues } from "@qkv/attention-contract";
import { checks, type Checks } from "@qkv/core";
import { tensor, type Tensor } from "@qkv/tensor";
import { cacheFor, type DecoderConfig } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import { checkModel, oneText, type LensModel, type TokenInput } from "../lens-model.js";
import { resolveHooks } from "../run-with-trace.js";

export type CacheMapsOptions = {
  /** Creates an empty cache: `() => rollingCache({ … })`. Default: the model's own, which evicts nothing. */
  readonly cache?: (config: DecoderConfig) => Cache;
};

/** A token that a cache no longer holds. */
export type Eviction = {
  /** The first step that does not read it, from 0. */
  readonly step: number;
  /** The evicted token, from 0. */
  readonly position: number;
  /** Query heads that stop reading it: all heads, unless each key-value head evicts tokens of its own. */
  readonly heads: readonly number[];
};

/** Tokens that the cache of one layer keeps at each step. */
export type CacheMap = {
  /** From 0. */
  readonly layer: number;
  /** `[1, H, T, T]`, steps by positions: 1 where the step reads the position, 0 where it was evicted or is not yet written. */
  readonly kept: Tensor;
  /** `[1, H, T, T]`: attention weights of each step; 0 where `kept` is 0, or a mask of the layer excludes the key. */
  readonly weights: Tensor;
  /** In order of the steps. Evictions after the last step are not listed. */
  readonly evictions: readonly Eviction[];
};

/**
 * Maps of caches: the tokens that a cache keeps and evicts in each layer, while a decoder reads a text token by token, as in
 * generation. Step t is the query of token t. Each of the layers that share keys and values has a map; layers with only a state
 * have none. `attentionMap(weights, { mask: kept })` of `@qkv/viz` draws a map: hatched cells below the diagonal were evicted.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`.
 * @throws {ArgumentError} If no layer attends to a cache of tokens, or the cache is not empty or holds unrotated keys, whose
 *   positions are counted within the cache.
 * @see "H2O: Heavy-Hitter Oracle" (2023), arXiv:2306.14048; "Efficient Streaming Language Models with Attention Sinks" (2023),
 *   arXiv:2309.17453
 *
 * @example
 * ```ts
 * import { rollingCache } from "@qkv/kv-cache";
 * import { slice } from "@qkv/tensor";
 * import { decoder } from "@qkv/transformer";
 * import { cacheMaps } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const cache = () => rollingCache({ windowSize: 2, keepFirst: 1 });
 * const [map] = await cacheMaps({ config, params: init(1), apply }, [3, 1, 4, 1], { cache });
 * slice(map!.kept, 1, 0, 1).toNested(); // => [[[[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1]]]]
 * map!.evictions; // => [{ step: 3, position: 1, heads: [0, 1] }]
 * ```
 */
export async function cacheMaps(
  model: LensModel,
  input: TokenInput,
  options?: CacheMapsOptions,
): Promise<CacheMap[]> {
  checkModel(check, model);
  const { config, params } = model;
  const { cache: makeCache = cacheFor } = check.options(options, ["cache"]);
  check.type({ cache: makeCache }, "function");
  const { ids } = oneText(check, model, input);
  const attends = tensorNames(config).some((name) => name.endsWith(".weights")) && !config.bytePatches;
  check.each(
    { model: "no such layer" },
    () => attends,
    "a model with layers that attend to a cache of tokens",
  );
  const fixWithoutCache = 'trace its weights: `runWithTrace(model, input, { names: ["weights"] })`.';
  check.each({ model: "bidirectional" }, () => !config.bidirectional, "a causal model", fixWithoutCache);
  const cache = makeCache(config);
  const isEmpty = (value: unknown) =>
    typeof (value as Partial<Cache> | null)?.update === "function" && cache.length === 0;
  check.each({ cache }, isEmpty, "an empty cache", "make one in each call: `() => rollingCache({ … })`.");
  const fix = "make it without `unrotatedKeys`: it evicts the same tokens.";
  check.each({ cache: "unrotated keys" }, () => !cache.unrotatedKeys, "a cache of rotated keys", fix);

  let layer = 0;
  const keyValuesByLayer: KeyValues[] = []; // by layer, of the present step
  const interventions = resolveHooks(model, {
    attentionInput(_, name) {
      layer = Number(name.split(".")[1]);
      return undefined;
    },
  });
  const steps = Array.from({ length: config.numLayers }, (): Step[] => []);
  for (const id of "shape" in ids ? await ids.read() : ids) {
    const tensors: Record<string, Tensor> = {};
    const trace = { names: ["weights"] as const, tensors, interventions };
    const watched = watchReads(cache, (keyValues) => (keyValuesByLayer[layer] = keyValues));
    model.apply(params, [Number(id)], { cache: watched, last: 1, trace });
    for (const [i, layerSteps] of steps.entries()) {
      const row = tensors[`layers.${i}.attention.weights`];
      const keyValues = keyValuesByLayer[config.sharedKeyValues?.[i] ?? i];
      if (row && keyValues)
        layerSteps.push({ positions: positionLists(keyValues), weights: await row.read(), H: row.shape[1]! });
    }
  }
  return steps.flatMap((layerSteps, i) =>
    layerSteps.length > 0 ? [{ layer: i, ...cacheMap(layerSteps) }] : [],
  );
}

/** One step: the positions that it reads, one list for all heads or one for each key-value head, and its weights `[1, H, 1, S]`. */
type Step = {
  readonly positions: readonly Int32Array[];
  readonly weights: ArrayLike<number>;
  readonly H: number;
};

function positionLists({ key, positions }: KeyValues): Int32Array[] {
  return keyPositions(
    positions,
    key.reduce((sum, part) => sum + segmentLength(part), 0),
  );
}

function cacheMap(steps: readonly Step[]): Omit<CacheMap, "layer"> {
  const [T, H] = [steps.length, steps[0]!.H];
  const Weights = steps[0]!.weights instanceof Float64Array ? Float64Array : Float32Array;
  const [keptCells, weights] = [new Float32Array(H * T * T), new Weights(H * T * T)];
  const heads = Array.from({ length: H }, (_, h) => h);
  const evictions: Eviction[] = [];
  steps.forEach(({ positions, weights: row }, t) => {
    const S = row.length / H;
    for (const h of heads) {
      const layerSteps = positions[Math.floor((h * positions.length) / H)]!;
      const first = S - layerSteps.length; // learned memory keys come first
      layerSteps.forEach((position, s) => {
        if (position < 0) return;
        keptCells[(h * T + t) * T + position] = 1;
        weights[(h * T + t) * T + position] = row[h * S + first + s]!;
      });
    }
    for (let position = 0; position < t; position++) {
      const at = (h: number, step: number) => keptCells[(h * T + step) * T + position]!;
      const evicting = heads.filter((h) => at(h, t - 1) > at(h, t));
      if (evicting.length > 0) evictions.push({ step: t, position, heads: evicting });
    }
  });
  const shape = [1, H, T, T];
  return { kept: tensor(keptCells, { shape }), weights: tensor(weights, { shape }), evictions };
}

/** A cache that calls `onRead` with the keys and values that each update returns. */
const watchReads = (cache: Cache, onRead: (read: KeyValues) => void): Cache => ({
  update(...call) {
    const keyValues = cache.update(...call);
    onRead(keyValues);
    return keyValues;
  },
  read: (layer) => cache.read(layer),
  state: (layer) => cache.state(layer),
  advance: (...call) => cache.advance(...call),
  get length() {
    return cache.length;
  },
});

const check: Checks = /* @__PURE__ */ checks("cacheMaps");
