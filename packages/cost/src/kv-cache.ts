import { checks, type Checks } from "@qkv/core";
import { checkFormat, checkFields, checkWhole } from "./check-call.js";
import { configFields, type Config } from "./config-fields.js";
import { formats, type Format } from "./formats.js";
import { stateChannels } from "./attention-parts.js";
import { mixerCost } from "./mixer-costs.js";
import { headsOfLayer } from "./heads-of-layer.js";
import type { Layer, ModelShape, Reach } from "./model-shape.js";
import { keysCached } from "./pairs-seen.js";

/** Cache of a layer: numbers stored for each token within reach and for each source token, and a state of fixed size. */
export type CacheLayer = {
  readonly numbersPerToken: number;
  readonly reach: Reach;
  readonly numbersPerSourceToken?: number;
  readonly stateNumbers?: number;
};

/** Size of a cache; 0 for encoder-only models. */
export type KvCacheSize = {
  /** Bytes that one more token of a sequence adds over all layers, until windows are full. */
  readonly bytesPerToken: number;
  /** `bytesPerToken` in numbers. */
  readonly numbersPerToken: number;
  /** Bytes for each token that the encoder reads. */
  readonly bytesPerSourceToken: number;
  /** Bytes of one sequence. */
  readonly bytesPerRequest: number;
  /** Bytes of the batch. */
  readonly bytes: number;
};

/** Call of {@link kvCache}: lengths in tokens. */
export type KvCacheCall = {
  /** Tokens of each sequence in the cache. Default 1. */
  contextLength?: number;
  /** Tokens that the encoder has read. Default 0. */
  sourceLength?: number;
  /** Default 1. */
  batchSize?: number;
  /** Default float16. */
  format?: Format;
  /** Largest number of tokens that a layer keeps, with an eviction policy such as H2O. Default: all within reach. */
  budget?: number;
};

/**
 * Returns the size of a model's KV cache in bytes. Grouped-query attention stores `2 · Hkv · D` numbers per token and layer,
 * latent attention its latent row; a layer with a window stores at most the window, and a recurrent layer a state of fixed
 * size.
 *
 * @param model - A shape of {@link readConfig}, or the cache layers of {@link readCacheLayers}.
 * @throws {ArgumentError} If a length is not an integer.
 *
 * @example
 * ```ts
 * import { kvCache, readConfig } from "@qkv/cost";
 *
 * const shape = readConfig({
 *   model_type: "llama", hidden_size: 4096, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8,
 *   intermediate_size: 14336, vocab_size: 128256,
 * });
 * kvCache(shape).bytesPerToken; // => 131072
 * kvCache(shape, { contextLength: 8192, batchSize: 4 }).bytes / 2 ** 30; // => 4
 * ```
 */
export function kvCache(model: ModelShape | readonly CacheLayer[], call: KvCacheCall = {}): KvCacheSize {
  const check = checks("kvCache");
  const names = ["contextLength", "sourceLength", "batchSize", "format", "budget"] as const;
  const options = check.options(call, names, "call");
  const { contextLength = 1, sourceLength = 0, batchSize = 1, format = formats.float16, budget } = options;
  checkWhole(check, { contextLength, sourceLength }, 0, "tokens");
  checkWhole(check, { batchSize }, 1, "sequences");
  checkFormat(check, { format });
  if (budget !== undefined) checkWhole(check, { budget }, 1, "tokens");
  const layers = Array.isArray(model) ? (model as readonly CacheLayer[]) : checkedCacheLayers(check, model);
  layers.forEach((layer, i) => {
    const fix = "make them with `readCacheLayers`.";
    checkFields(check, { [`model[${i}]`]: layer }, ["numbersPerToken", "reach"], "the cache of a layer", fix);
  });
  const sum = (count: (layer: CacheLayer) => number) =>
    layers.reduce((total, layer) => total + count(layer), 0);
  const numbersPerToken = sum((layer) => layer.numbersPerToken);
  const bytesPerRequest =
    format.bytesPerNumber *
    sum(
      ({ numbersPerToken, reach, numbersPerSourceToken = 0, stateNumbers = 0 }) =>
        numbersPerToken * Math.min(keysCached(reach, contextLength), budget ?? Infinity) +
        numbersPerSourceToken * sourceLength +
        stateNumbers,
    );
  return {
    bytesPerToken: numbersPerToken * format.bytesPerNumber,
    numbersPerToken,
    bytesPerSourceToken: sum((layer) => layer.numbersPerSourceToken ?? 0) * format.bytesPerNumber,
    bytesPerRequest,
    bytes: bytesPerRequest * batchSize,
  };
}

function checkedCacheLayers(check: Checks, model: ModelShape | readonly CacheLayer[]): CacheLayer[] {
  const expected = "the shape of a model, or the caches of its layers";
  checkFields(
    check,
    { model },
    ["architecture", "embedDim"],
    expected,
    "read its config.json: `readConfig(config)`.",
  );
  return cacheLayers(model as ModelShape);
}

/** The cache of each layer of a model. */
export function cacheLayers({ decoder, embedDim }: ModelShape): CacheLayer[] {
  return (decoder?.layers ?? []).map(({ attention, state, cross, feedForward }) => {
    const cache = attentionCache(attention, embedDim);
    const shiftNumbers = feedForward.kind === "dense" && feedForward.shifts ? embedDim : 0;
    const parallelStateNumbers = state ? attentionCache(state, embedDim).stateNumbers! : 0;
    const stateNumbers = (cache.stateNumbers ?? 0) + parallelStateNumbers + shiftNumbers;
    return {
      ...cache,
      ...(stateNumbers > 0 && { stateNumbers }),
      ...(cross && { numbersPerSourceToken: 2 * cross.numKvHeads * cross.headDim }),
    };
  });
}

function attentionCache(attention: Layer["attention"], embedDim: number): CacheLayer {
  switch (attention.kind) {
    case "none":
      return { numbersPerToken: 0, reach: { kind: "causal" } };
    case "heads": {
      const { numKvHeads, headDim, reach, sharesKeyValues } = attention;
      return { numbersPerToken: sharesKeyValues ? 0 : 2 * numKvHeads * headDim, reach };
    }
    case "latent":
      return {
        numbersPerToken: attention.kvRank + attention.ropeDim + (attention.indexer?.headDim ?? 0),
        reach: attention.reach,
      };
    case "state": {
      const { mixer, numValueHeads: numHeads, keyDim, valueDim, taps, convolution, shifts } = attention;
      const { stateNumbers } = mixerCost(mixer, { numHeads, keyDim, valueDim, ...(taps && { taps }) });
      return {
        numbersPerToken: 0,
        reach: { kind: "causal" },
        stateNumbers: stateNumbers + (convolution - 1) * stateChannels(attention) + (shifts ? embedDim : 0),
      };
    }
  }
}

/**
 * Reads only the fields that the size of a cache depends on, for tables without the others: the number of layers, `n_kv_heads`
 * and `head_dim`, or `kv_lora_rank` and `qk_rope_head_dim` (and `index_head_dim` with an `index_topk`). If `n_kv_heads` is
 * missing, `attention: "MQA"` means one key-value head and `"MHA"` as many as `n_heads`. `per_layer_config` may override the
 * heads of a layer. The last `num_kv_shared_layers` have no cache: they read that of an earlier layer.
 *
 * @throws {ArgumentError} If one of these fields is missing.
 *
 * @example
 * ```ts
 * import { kvCache, readCacheLayers } from "@qkv/cost";
 *
 * const layers = readCacheLayers({ n_layers: 60, kv_lora_rank: 512, qk_rope_head_dim: 64 });
 * kvCache(layers).numbersPerToken; // => 34560
 * ```
 */
export function readCacheLayers(config: Config): CacheLayer[] {
  const fix = "give the object in a config.json, or a row of a table of shapes.";
  checkFields(checks("readCacheLayers"), { config }, [], "an object with the sizes of a model", fix);
  const fields = configFields(config, "readCacheLayers");
  const { sizeByName, size } = fields;
  const kvHeads =
    config["attention"] === "MQA"
      ? fields.size("kvHeads", 1)
      : config["attention"] === "MHA"
        ? fields.size("kvHeads", fields.sizeOrNull("heads") ?? undefined)
        : undefined;
  const latentNumbers =
    typeof config["kv_lora_rank"] === "number"
      ? sizeByName("kv_lora_rank") +
        sizeByName("qk_rope_head_dim") +
        (typeof config["index_topk"] === "number" ? sizeByName("index_head_dim") : 0)
      : undefined;
  const layerNumbers = (layer: number): number => {
    const { numKvHeads, headDim } = headsOfLayer(config, layer);
    return latentNumbers ?? 2 * (numKvHeads ?? kvHeads ?? size("kvHeads")) * (headDim ?? size("headDim"));
  };
  const window = fields.sizeOrNull("window");
  const [causal, local]: Reach[] = [{ kind: "causal" }, { kind: "window", size: window ?? 1 }];
  const types = fields.list("layer_types");
  const count = size("layers");
  // The last layers read the cache of an earlier one (Gemma 3n).
  const layersWithCache = count - fields.count("sharedKvLayers", 0);
  return Array.from({ length: count }, (_, i): CacheLayer => {
    const isWindowed = window !== null && (types === null || types[i] === "sliding_attention");
    return {
      numbersPerToken: i < layersWithCache ? layerNumbers(i) : 0,
      reach: isWindowed ? local! : causal!,
    };
  });
}
