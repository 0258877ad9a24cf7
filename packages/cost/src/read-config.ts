import { ArgumentError, knownNames } from "@qkv/core";
import { architectures, type Traits } from "./architectures.js";
import { configFields, type Config, type Fields } from "./config-fields.js";
import { withLayerCount } from "./layer-kinds.js";
import type { Convolution, Layer, ModelShape, Stack, Streams, Table } from "./model-shape.js";
import { layerTypes, readAttention, readHeads, readState } from "./read-attention.js";
import { readDualEncoder, readVisionStack } from "./read-vision.js";
import { readDense, readFeedForward, readHidden } from "./read-feed-forward.js";

/**
 * Values of `model_type` that {@link readConfig} reads.
 *
 * @example
 * ```ts
 * import { modelTypes } from "@qkv/cost";
 *
 * modelTypes.includes("qwen3"); // => true
 * ```
 */
export const modelTypes: readonly string[] = /* @__PURE__ */ Object.keys(architectures);

/**
 * Reads the shape of a model from its Hugging Face `config.json`, or from a row of a table of shapes (`architecture`,
 * `n_layers`, `d_model`, `n_heads`, `n_kv_heads`, `head_dim`, `d_ff`, `vocab_size`, …). Biases, norms and learned positions
 * follow from `model_type`, as in the published weights of each architecture.
 *
 * For a multimodal decoder, only the text model is read (`text_config`); for CLIP and SigLIP both encoders. Task heads, such as
 * a classifier, are not counted.
 *
 * @param config - The object in the file, or its text.
 * @throws {ArgumentError} If the architecture is none of {@link modelTypes}, a size is missing or not an integer, or heads do not
 *   divide. In a table of shapes, a required size that is `null` is refused.
 *
 * @example
 * ```ts
 * import { parameters, readConfig } from "@qkv/cost";
 *
 * const gpt2 = readConfig({ model_type: "gpt2", n_embd: 768, n_head: 12, n_layer: 12, n_positions: 1024, vocab_size: 50257 });
 * parameters(gpt2).total; // => 124439808
 * readConfig({ model_type: "llama" }); // => throws ArgumentError: `num_hidden_layers`
 * ```
 */
export function readConfig(config: unknown): ModelShape {
  const outer = parse(config);
  const inner = outer["text_config"];
  const modelConfig: Config =
    isObject(inner) && !isKnown(outer)
      ? {
          ...(outer["tie_word_embeddings"] === undefined
            ? {}
            : { tie_word_embeddings: outer["tie_word_embeddings"] }),
          ...inner,
        }
      : outer;
  const type = modelConfig["model_type"] ?? modelConfig["architecture"];
  const traits = typeof type === "string" ? findTraits(type) : undefined;
  if (typeof type !== "string" || !traits) {
    throw new ArgumentError({
      fn: "readConfig",
      argument: "model_type",
      received: type,
      expected: `one of ${knownNames(type, modelTypes, "`modelTypes`")}`,
      fix: 'name the architecture that it resembles: most decoders of today are built as "llama".',
    });
  }
  if (modelConfig["architecture"] !== undefined) refuseUnknown(modelConfig);
  const complete = withDefaults(traits.onePartPerLayer ? withLayerCount(modelConfig) : modelConfig, traits);
  const fields = configFields(complete);
  if (traits.form === "dual") return dualShape(fields, type);
  refuseVariants(fields, type);
  checkLayerTypes(fields, traits);
  // A bidirectional decoder is an encoder for embeddings (EmbeddingGemma).
  const bidirectional = fields.flag("use_bidirectional_attention", false);
  return buildShape(fields, bidirectional ? { ...traits, form: "encoder" } : traits, type);
}

/** Adds the architecture's defaults for absent fields. */
function withDefaults(config: Config, { defaults }: Traits): Config {
  if (!defaults) return config;
  const present = Object.entries(config).filter(([, value]) => value !== undefined && value !== null);
  return { ...defaults, ...Object.fromEntries(present) };
}

/**
 * A dual encoder: a text encoder and an image encoder whose vectors are projected to one space. `similarityNumbers`: learned scales
 * and biases of their similarity.
 */
function dualShape(fields: Fields, type: string): ModelShape {
  const { text, vision, ofText, ofImages, similarityNumbers } = readDualEncoder(fields, type);
  return {
    ...readConfig(text),
    architecture: type,
    projection: ofText,
    images: { ...readConfig(vision), ...(ofImages && { projection: ofImages }), similarityNumbers },
  };
}

/** Refuses variants of an architecture whose cost is not modeled. */
function refuseVariants({ config, flag, sizeByName, refuse, size }: Fields, type: string): void {
  if (type === "marian" && !flag("share_encoder_decoder_embeddings", true))
    refuse("share_encoder_decoder_embeddings", false, "true: one token table for both sides");
  if (type === "albert" && size("layers") % sizeByName("num_hidden_groups", 1) !== 0)
    refuse("num_hidden_groups", config["num_hidden_groups"], "a divisor of num_hidden_layers");
  if (type === "albert" && typeof config["inner_group_num"] === "number" && config["inner_group_num"] !== 1)
    refuse("inner_group_num", config["inner_group_num"], "1: a group is one layer");
  if (type === "gemma4_text")
    for (const name of ["attention_k_eq_v", "enable_moe_block"])
      if (flag(name, false))
        refuse(name, true, "false: keys in place of values, and experts beside a network");
  if (type === "nemotron_h" && typeof config["moe_latent_size"] === "number")
    refuse("moe_latent_size", config["moe_latent_size"], "null: experts of the model's width");
}

/** Refuses unknown layer types, and lists of the wrong length. */
function checkLayerTypes(fields: Fields, traits: Traits): void {
  const known = layerTypes(traits);
  const types = fields.list("layer_types");
  types?.forEach((type, i) => {
    if (known.some((name) => name === type)) return;
    throw new ArgumentError({
      fn: "readConfig",
      argument: `layer_types[${i}]`,
      received: type,
      expected: `one of ${known.join(", ")}`,
      fix: "name the kind that this layer resembles, or leave the list out where the architecture has a rule.",
    });
  });
  const count = fields.size("layers");
  if (types === null || types.length === count) return;
  throw new ArgumentError({
    fn: "readConfig",
    argument: "layer_types.length",
    received: types.length,
    expected: `${count}, one per layer`,
    fix: "give the list and the number of layers of the same model.",
  });
}

const findTraits = (type: string): Traits | undefined =>
  Object.hasOwn(architectures, type) ? architectures[type] : undefined;
const isKnown = ({ model_type }: Config) => typeof model_type === "string" && findTraits(model_type);

/** The shape of a model other than a dual encoder. */
function buildShape(fields: Fields, traits: Traits, architecture: string): ModelShape {
  const { config, size, flag } = fields;
  const embedDim = size("width");
  const tied = flag("tie_word_embeddings", traits.tied);
  const tokenDim = traits.embeddingDim
    ? fields.sizeByName("embedding_size", traits.embeddingDim)
    : fields.sizeByName("word_embed_proj_dim", embedDim);
  const readsText = traits.form !== "vision";
  const generatesText = readsText && traits.form !== "encoder";
  return {
    architecture,
    vocabSize: readsText ? size("vocabulary") : 0,
    embedDim,
    tokenDim,
    norm: traits.norm,
    contextLength: readsText ? fields.sizeOrNull("positions") : null,
    ...readStacks(fields, traits),
    pooler: traits.pooler && config["add_pooling_layer"] !== false && !hasNoPooler(config),
    ...(traits.vision?.attentionPooling && { attentionPooling: true }),
    output: generatesText ? (tied ? "tied" : "own") : "none",
    outputBias: traits.outputBias && generatesText,
    ...(traits.form === "t5" && tied && flag("scale_decoder_outputs", true) && { outputScale: true }),
    // The projection from the width of embeddings to that of the model has a bias (ALBERT, ELECTRA).
    ...(traits.embeddingDim && { tokenMapBias: true }),
  };
}

/** True for model classes without a pooler. */
function hasNoPooler({ architectures: classes }: Config): boolean {
  const [name] = Array.isArray(classes) ? (classes as unknown[]) : [];
  return /For(MaskedLM|TokenClassification|QuestionAnswering|ImageClassification)$/.test(String(name));
}

function readStacks(fields: Fields, traits: Traits): Pick<ModelShape, "encoder" | "decoder"> {
  switch (traits.form) {
    case "decoder":
      return { decoder: singleStack(fields, traits) };
    case "encoder":
      return { encoder: singleStack(fields, traits) };
    case "vision":
      return { encoder: readVisionStack(fields, traits, deduplicateLayers) };
    case "t5":
      return encoderAndDecoder(fields, traits, relativeTables(fields));
    default:
      return encoderAndDecoder(fields, traits, learnedTables(fields, traits));
  }
}

/** The layers of a decoder-only or encoder-only model. Equal layers are one object, so that their cost is computed once. */
function singleStack(fields: Fields, traits: Traits): Stack {
  const norms = (layer: number) =>
    typeof traits.norms === "function" ? traits.norms(fields, layer) : traits.norms;
  const { hidden_size_per_layer_input: inputSize } = fields.config;
  // Per-layer embeddings (Gemma 3n): each token also has a vector of this width for each layer.
  const inputDim =
    traits.layerInputs && inputSize !== 0 && inputSize !== null
      ? fields.sizeByName("hidden_size_per_layer_input", traits.layerInputs)
      : undefined;
  const layers = deduplicateLayers(fields.size("layers"), (layer) => ({
    attention: readAttention(fields, traits, layer),
    ...(traits.parallelState && { state: readState(fields, traits) }),
    feedForward: readFeedForward(fields, traits, layer),
    norms: norms(layer),
    ...(inputDim && { inputDim }),
    ...(traits.layerScale && { scale: true }),
  }));
  const tables = learnedTables(fields, traits).encoder;
  if (inputDim) {
    const rows = fields.sizeByName("vocab_size_per_layer_input", fields.size("vocabulary"));
    tables.push({ name: "embeddings of layers", rows, width: layers.length * inputDim });
  }
  const width = fields.size("width");
  const embeddingDim = traits.embeddingDim ? fields.sizeByName("embedding_size", traits.embeddingDim) : width;
  const types = fields.sizeByName("type_vocab_size", traits.tokenTypes || 1);
  if (traits.tokenTypes > 0) tables.push({ name: "token types", rows: types, width: embeddingDim });
  if (traits.relativeBias) {
    const buckets = fields.sizeByName("relative_attention_num_buckets", 32);
    tables.push({ name: "relative positions", rows: buckets, width: fields.size("heads") });
  }
  return {
    layers,
    tables,
    convolutions: [],
    embeddingNorm: traits.embeddingNorm,
    finalNorm: traits.finalNorm && fields.flag("do_layer_norm_before", true),
    ...(traits.streams && { streams: readStreams(fields, traits.streams) }),
    ...(inputDim && { inputDim }),
    ...(embeddingDim !== width && { embeddingDim }),
    ...(traits.sharedLayers && { ownLayers: fields.sizeByName("num_hidden_groups", 1) }),
  };
}

const readStreams = ({ sizeByName }: Fields, { count, rank }: Streams): Streams => ({
  count: sizeByName("altup_num_inputs", count),
  rank: sizeByName("laurel_rank", rank),
});

type Tables = { encoder: Table[]; decoder: Table[] };

function encoderAndDecoder(
  fields: Fields,
  traits: Traits,
  tables: Tables,
): { encoder: Stack; decoder: Stack } {
  const { sizeByName, size } = fields;
  const sides = {
    encoder: { heads: size("heads"), hidden: readHidden(fields, traits), layers: size("layers") },
    decoder: {
      heads: sizeByName("decoder_attention_heads", sizeByName("decoder_num_attention_heads", size("heads"))),
      hidden: sizeByName("decoder_ffn_dim", readHidden(fields, traits)),
      layers: size("decoderLayers", size("layers")),
    },
  };
  const stack = (side: "encoder" | "decoder"): Stack => {
    const { heads, hidden, layers } = sides[side];
    checkLayers(layers);
    const attention = readHeads(fields, traits, { kind: side === "encoder" ? "all" : "causal" }, heads);
    const layer: Layer = {
      attention,
      ...(side === "decoder" && { cross: { ...attention, rotaryDim: 0, reach: { kind: "all" as const } } }),
      feedForward: readDense(fields, hasGates(traits, side) ? traits : { ...traits, gated: false }, hidden),
      norms: side === "decoder" ? 3 : 2,
    };
    return {
      layers: new Array<Layer>(layers).fill(layer),
      tables: tables[side],
      convolutions: side === "encoder" ? soundConvolutions(fields, traits) : [],
      // Audio is padded to 30 seconds: 1500 frames.
      ...(side === "encoder" &&
        traits.form === "whisper" && { rows: sizeByName("max_source_positions", 1500) }),
      embeddingNorm: traits.embeddingNorm,
      finalNorm: traits.finalNorm,
      ...(fields.flag("scale_embedding", false) && { embeddingScale: true }),
      ...(traits.sinusoids && { sinusoids: true }),
    };
  };
  return { encoder: stack("encoder"), decoder: stack("decoder") };
}

function learnedTables(fields: Fields, { positions, form, embeddingDim }: Traits): Tables {
  const width = embeddingDim ? fields.sizeByName("embedding_size", embeddingDim) : fields.size("width");
  const rows = (count: number): Table[] =>
    positions ? [{ name: "positions", rows: count + positions.extra, width }] : [];
  if (!positions) return { encoder: [], decoder: [] };
  if (form === "whisper") {
    const [encoder, decoder] = [
      fields.sizeByName("max_source_positions", 1500),
      fields.sizeByName("max_target_positions", 448),
    ];
    return { encoder: rows(encoder), decoder: rows(decoder) };
  }
  const count = fields.size("positions");
  return { encoder: rows(count), decoder: rows(count) };
}

/** Relative position bias of T5: a number for each head and bucket, in the first layer of each stack; in UMT5 in every layer. */
function relativeTables(fields: Fields): Tables {
  const heads = fields.size("heads");
  const everyLayer = (fields.config["model_type"] ?? fields.config["architecture"]) === "umt5";
  const table = (layers: number): Table[] => [
    {
      name: "relative positions",
      rows: fields.sizeByName("relative_attention_num_buckets", 32) * (everyLayer ? layers : 1),
      width: heads,
    },
  ];
  const layers = fields.size("layers");
  return { encoder: table(layers), decoder: table(fields.size("decoderLayers", layers)) };
}

/** False for Moonshine's encoder, whose feed-forward layers have no gates. */
const hasGates = ({ form }: Traits, side: "encoder" | "decoder"): boolean =>
  form !== "moonshine" || side === "decoder";

/** Convolutions over a mel spectrogram (Whisper), or over audio samples (Moonshine). */
function soundConvolutions(fields: Fields, { form }: Traits): Convolution[] {
  const width = fields.size("width");
  const activation = true;
  if (form === "moonshine")
    return [
      {
        kernel: 127,
        inputs: 1,
        outputs: width,
        stride: 64,
        bias: false,
        padded: false,
        activation,
        norm: true,
      },
      { kernel: 7, inputs: width, outputs: 2 * width, stride: 3, padded: false, activation },
      { kernel: 3, inputs: 2 * width, outputs: width, stride: 2, padded: false, activation },
    ];
  if (form !== "whisper") return [];
  const mel = fields.sizeByName("num_mel_bins", 80);
  return [
    { kernel: 3, inputs: mel, outputs: width, stride: 1, activation },
    { kernel: 3, inputs: width, outputs: width, stride: 2, activation },
  ];
}

function deduplicateLayers(count: number, make: (layer: number) => Layer): Layer[] {
  checkLayers(count);
  const seen = new Map<string, Layer>();
  return Array.from({ length: count }, (_, i) => {
    const layer = make(i);
    const key = JSON.stringify(layer);
    const known = seen.get(key) ?? layer;
    seen.set(key, known);
    return known;
  });
}

/** Refuses too many layers, so that a wrong file cannot use up the memory. */
function checkLayers(count: number): void {
  if (count <= maxLayers) return;
  throw new ArgumentError({
    fn: "readConfig",
    argument: "config",
    received: `${count} layers`,
    expected: `at most ${maxLayers} layers`,
    fix: "check the number of layers in the configuration; it is damaged, or of something else.",
  });
}

const maxLayers = 10_000;

/** Refuses `null` in a table of shapes, where it means unknown; in a configuration it means the default. */
function refuseUnknown(config: Config): void {
  for (const name of ["n_heads", "n_kv_heads", "head_dim", "d_ff", "vocab_size"]) {
    if (config[name] !== null) continue;
    throw new ArgumentError({
      fn: "readConfig",
      argument: name,
      received: null,
      expected: "an integer, 1 or more",
      fix: "look the size up in the model's config.json: it cannot be guessed from the others.",
    });
  }
}

function parse(config: unknown): Config {
  let value = config;
  if (typeof config === "string") {
    try {
      value = JSON.parse(config);
    } catch (cause) {
      throw new ArgumentError({
        fn: "readConfig",
        argument: "config",
        received: config,
        expected: "the text of a config.json",
        fix: "give the whole file, which is one JSON object.",
        cause,
      });
    }
  }
  if (isObject(value)) return value;
  throw new ArgumentError({
    fn: "readConfig",
    argument: "config",
    received: value,
    expected: "the object in a config.json",
    fix: 'give an object with "model_type" and the sizes.',
  });
}

function isObject(value: unknown): value is Config {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
