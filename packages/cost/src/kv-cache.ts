import { checks, type Checks } from "@qkv/core";
import { checkFormat, checkMade, checkWhole } from "./check-call.js";
import { configFields, type Config } from "./config-fields.js";
import { formats, type Format } from "./formats.js";
import { stateChannels } from "./attention-parts.js";
import { mixerCost } from "./mixer-costs.js";
import { headsOfLayer } from "./heads-of-layer.js";
import type { Layer, ModelShape, Reach } from "./model-shape.js";
import { keysKept } from "./pairs-seen.js";

/** Cache of a layer: numbers of each token in reach, and of each source token, and a state of fixed size. */
export type CacheLayer = {
  readonly numbersPerToken: number;
  readonly reach: Reach;
  readonly numbersPerSourceToken?: number;
  readonly stateNumbers?: number;
};

/** Size of a cache; 0 for encoders without a decoder. */
export type KvCacheSize = {
  /** Bytes that one more token of one sequence adds, in all layers, until a window is full. */
  readonly bytesPerToken: number;
  /** The same in numbers. */
  readonly numbersPerToken: number;
  /** Bytes that each token of the encoder's text adds, once. */
  readonly bytesPerSourceToken: number;
  /** All of one sequence. */
  readonly bytesPerRequest: number;
  /** All of the batch. */
  readonly bytes: number;
};

/** Call of {@link kvCache}: lengths in tokens. */
export type KvCacheCall = {
  /** Tokens held of each sequence. Default 1. */
  contextLength?: number;
  /** Tokens that the encoder has read. Default 0. */
  sourceLength?: number;
  /** Default 1. */
  batchSize?: number;
  /** Default float16. */
  format?: Format;
  /** Tokens that a cache keeps of each layer with keys, by an eviction score. Default: all within reach. */
  budget?: number;
};

/**
 * Returns the size of a model's KV cache in bytes. Grouped queries store `2 · Hkv · D` numbers per token and layer,
 * latent attention its compressed row; a window stops growing at its size, and a recurrent layer has a state of fixed
 * size.
 *
 * @param model - A shape of {@link readConfig}, or only what its layers keep, from {@link readCacheLayers}.
 * @throws {ArgumentError} If a length is no whole number.
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
  const given = check.options(call, names, "call");
  const { contextLength = 1, sourceLength = 0, batchSize = 1, format = formats.float16, budget } = given;
  checkWhole(check, { contextLength, sourceLength }, 0, "tokens");
  checkWhole(check, { batchSize }, 1, "sequences");
  checkFormat(check, { format });
  if (budget !== undefined) checkWhole(check, { budget }, 1, "tokens");
  const layers = Array.isArray(model) ? (model as readonly CacheLayer[]) : cacheLayersOf(check, model);
  layers.forEach((layer, i) => {
    const fix = "make them with `readCacheLayers`.";
    checkMade(check, { [`model[${i}]`]: layer }, ["numbersPerToken", "reach"], "what a layer keeps", fix);
  });
  const sum = (of: (layer: CacheLayer) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  const numbersPerToken = sum((layer) => layer.numbersPerToken);
  const bytesPerRequest =
    format.bytesPerNumber *
    sum(
      ({ numbersPerToken, reach, numbersPerSourceToken = 0, stateNumbers = 0 }) =>
        numbersPerToken * Math.min(keysKept(reach, contextLength), budget ?? Infinity) +
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

function cacheLayersOf(check: Checks, model: ModelShape | readonly CacheLayer[]): CacheLayer[] {
  const expected = "the shape of a model, or what its layers keep";
  checkMade(
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
    const own = keptBy(attention, embedDim);
    const shifted = feedForward.kind === "dense" && feedForward.shifts ? embedDim : 0;
    const beside = state ? keptBy(state, embedDim).stateNumbers! : 0;
    const stateNumbers = (own.stateNumbers ?? 0) + beside + shifted;
    return {
      ...own,
      ...(stateNumbers > 0 && { stateNumbers }),
      ...(cross && { numbersPerSourceToken: 2 * cross.numKvHeads * cross.headDim }),
    };
  });
}

function keptBy(attention: Layer["attention"], embedDim: number): CacheLayer {
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
 * Reads only what a cache depends on, for tables that give no more: the number of layers, and for each `n_kv_heads` and
 * `head_dim`, or `kv_lora_rank` and `qk_rope_head_dim` (and `index_head_dim` beside an `index_topk`). If `n_kv_heads` is missing, `attention: "MQA"` means one
 * key-value head and `"MHA"` as many as `n_heads`. Heads of single layers stand in `per_layer_config`. The last `num_kv_shared_layers` hold nothing: they read the cache of an
 * earlier layer.
 *
 * @throws {ArgumentError} If one of them is missing.
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
  checkMade(checks("readCacheLayers"), { config }, [], "an object with the sizes of a model", fix);
  const fields = configFields(config, "readCacheLayers");
  const { own, size } = fields;
  const heads =
    config["attention"] === "MQA"
      ? fields.size("kvHeads", 1)
      : config["attention"] === "MHA"
        ? fields.size("kvHeads", fields.sizeOrNull("heads") ?? undefined)
        : undefined;
  const latents =
    typeof config["kv_lora_rank"] === "number"
      ? own("kv_lora_rank") +
        own("qk_rope_head_dim") +
        (typeof config["index_topk"] === "number" ? own("index_head_dim") : 0)
      : undefined;
  const numbersOf = (layer: number): number => {
    const { numKvHeads, headDim } = headsOfLayer(config, layer);
    return latents ?? 2 * (numKvHeads ?? heads ?? size("kvHeads")) * (headDim ?? size("headDim"));
  };
  const window = fields.sizeOrNull("window");
  const [causal, local]: Reach[] = [{ kind: "causal" }, { kind: "window", size: window ?? 1 }];
  const types = fields.list("layer_types");
  const count = size("layers");
  // The last layers read the cache of an earlier one (Gemma 3n), and hold nothing.
  const holding = count - fields.count("sharedKvLayers", 0);
  return Array.from({ length: count }, (_, i): CacheLayer => {
    const slides = window !== null && (types === null || types[i] === "sliding_attention");
    return { numbersPerToken: i < holding ? numbersOf(i) : 0, reach: slides ? local! : causal! };
  });
}
