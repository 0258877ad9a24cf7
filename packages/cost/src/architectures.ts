import type { Fields } from "./config-fields.js";
import type { HeadsAttention, Norm } from "./model-shape.js";

/** A property of an architecture: a constant, or a function of the configuration. */
export type Rule = boolean | ((fields: Fields) => boolean);

/** Properties of an architecture beyond the sizes: biases, norms, embedding tables. */
export type Traits = {
  readonly norm: Norm;
  /** Number of norms of the model's width in a layer. */
  readonly norms: number | ((fields: Fields, layer: number) => number);
  readonly queryKeyNorm:
    HeadsAttention["queryKeyNorm"] | ((fields: Fields) => HeadsAttention["queryKeyNorm"]);
  readonly biases: { readonly query: Rule; readonly key?: Rule; readonly output: Rule };
  readonly mlpBias: Rule;
  readonly gated: Rule;
  /** Default hidden width of the feed-forward layer, as a multiple of the model's width; `null`: required. */
  readonly mlpRatio: number | null;
  /** Fraction of a head's dimensions that RoPE rotates, 0 to 1. */
  readonly rotary: number;
  readonly tied: boolean;
  readonly outputBias: boolean;
  /** Learned position embeddings; `extra`: rows beyond the number of positions. `null`: none. */
  readonly positions: { readonly extra: number } | null;
  readonly embeddingNorm: boolean;
  readonly finalNorm: boolean;
  /** Returns true for layers with a sliding window, if the configuration has a window and no list of layer types. */
  readonly windowed: (layer: number, fields: Fields) => boolean;
  readonly form: "decoder" | "encoder" | "vision" | "dual" | "t5" | "bart" | "whisper" | "moonshine";
  /** An encoder with a causal mask (CLIP). Default false. */
  readonly causal?: boolean;
  /** Default values of fields that a configuration may omit. Default: none. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Default of the field `embedding_size`. Undefined: the architecture has no such field, and embeddings are as wide as the model. */
  readonly embeddingDim?: number;
  /** Sinusoidal positions are added to embeddings (Marian, M2M-100). Default false. */
  readonly sinusoids?: boolean;
  /** Layers share weights in groups, whose number is `num_hidden_groups` (ALBERT). Default false. */
  readonly sharedLayers?: boolean;
  /** A relative position bias in addition to learned positions (MPNet). Default false. */
  readonly relativeBias?: boolean;
  /** Properties of an image encoder. Default: none. */
  readonly vision?: VisionTraits;
  /** Rows of the token type embedding, in encoders. */
  readonly tokenTypes: number;
  readonly pooler: boolean;
  readonly sinks: boolean;
  readonly routerBias: Rule;
  readonly expertBias: boolean;
  readonly sharedGate: boolean;
  /** Default number of shared experts, each as wide as a routed one. */
  readonly sharedExperts: number;
  /** Default number of first layers without experts. */
  readonly denseLayers: number;
  /** Returns true for layers with experts. Default: by the usual fields, `decoder_sparse_step` and the like. */
  readonly sparse?: (layer: number, fields: Fields) => boolean;
  /** The query projection is twice as wide, and its second half gates the output. */
  readonly outputGate: boolean;
  /** A lightning indexer selects the keys of latent attention (DeepSeek-V3.2). */
  readonly indexer: boolean;
  /** The mixer of recurrent layers. */
  readonly stateLayer:
    "gatedDeltaRule" | "lightningAttention" | "shortConvolution" | "ssd" | "rwkv7" | "selectiveScan";
  /** Returns true for layers with attention; the others are recurrent. Default: by `layer_types`. */
  readonly attends?: (layer: number, fields: Fields) => boolean;
  /** Layers have a mixer and no feed-forward layer (Mamba). */
  readonly mixersOnly: boolean;
  /** Each layer has a recurrent mixer parallel to its attention (Falcon-H1). */
  readonly parallelState: boolean;
  /** Each layer is only a mixer, attention, a feed-forward layer or experts (Nemotron-H). Default false. */
  readonly onePartPerLayer?: boolean;
  /** Differential attention: the difference of two softmaxes. Default false. */
  readonly differential?: boolean;
  /** Learned parameters of a layer's activation function (xIELU). Default 0. */
  readonly activationNumbers?: number;
  /** Default width of per-layer embeddings, `hidden_size_per_layer_input`. Default: none. */
  readonly layerInputs?: number;
  /** Default numbers of AltUp streams and rank of LAuReL. Default: one stream. */
  readonly streams?: { readonly count: number; readonly rank: number };
  /** Default number of last layers that share the keys and values of earlier ones. Default 0. */
  readonly sharedKeys?: number;
  /** A learned scalar factor of each layer's output. Default false. */
  readonly layerScale?: boolean;
  /** Default head dimension of layers with full attention. Default: that of all layers. */
  readonly fullHeadDim?: number;
};

/** Properties of an image encoder. */
type VisionTraits = {
  /** Learned tokens with positions, such as the class token. Default 1. */
  readonly classTokens?: number;
  /** Default number of register tokens, which have no positions. Undefined: the architecture has no such field. */
  readonly registers?: number;
  /** A bias of the patch embedding. Default true. */
  readonly patchBias?: boolean;
  /** A learned mask token, if the configuration has `use_mask_token`. Default false. */
  readonly maskToken?: boolean;
  /** LayerScale: a learned factor for each channel of a sublayer's output. Default false. */
  readonly layerScale?: boolean;
  /** The final norm applies only to the pooled vector of an image. Default false. */
  readonly pooledNorm?: boolean;
  /** Attention pooling: a learned query attends to all rows. Default false. */
  readonly attentionPooling?: boolean;
};

/** A rule that reads a flag of the configuration. */
const flagRule =
  (name: string, fallback = false): Rule =>
  (fields) =>
    fields.flag(name, fallback);
/** All supported architectures, by `model_type`. */
export const architectures: Readonly<Record<string, Traits>> = /* @__PURE__ */ architectureTable();

/** Builds the table; most entries modify another one. A function, so that bundlers can drop an unused table. */
function architectureTable(): Readonly<Record<string, Traits>> {
  const allBiases = { query: true, output: true };
  const noBiases = { query: false, output: false };

  const llama: Traits = {
    norm: "rms",
    norms: 2,
    queryKeyNorm: "none",
    biases: { query: flagRule("attention_bias"), output: flagRule("attention_bias") },
    mlpBias: flagRule("mlp_bias"),
    gated: true,
    mlpRatio: null,
    rotary: 1,
    tied: false,
    outputBias: false,
    positions: null,
    embeddingNorm: false,
    finalNorm: true,
    windowed: () => true,
    form: "decoder",
    tokenTypes: 0,
    pooler: false,
    sinks: false,
    routerBias: false,
    expertBias: false,
    sharedGate: false,
    sharedExperts: 0,
    denseLayers: 0,
    outputGate: false,
    indexer: false,
    stateLayer: "gatedDeltaRule",
    parallelState: false,
    mixersOnly: false,
  };
  const qwen2: Traits = {
    ...llama,
    biases: { query: true, output: false },
    windowed: (layer, { flag, config }) =>
      flag("use_sliding_window", false) && layer >= Number(config["max_window_layers"] ?? Infinity),
  };
  const qwen3: Traits = { ...qwen2, biases: llama.biases, queryKeyNorm: "head" };
  const gemma: Traits = { ...llama, tied: true };
  const gemma2: Traits = { ...gemma, norms: 4, windowed: (layer) => layer % 2 === 0 };
  const gemma3: Traits = {
    ...gemma2,
    queryKeyNorm: "head",
    windowed: (layer, { sizeByName }) => (layer + 1) % sizeByName("sliding_window_pattern", 6) !== 0,
  };
  const ernie: Traits = {
    ...llama,
    biases: { query: flagRule("use_bias"), output: flagRule("use_bias") },
    mlpBias: flagRule("use_bias"),
    tied: true,
  };
  /** RoPE rotates half of a head. */
  const glm: Traits = {
    ...llama,
    biases: { query: flagRule("attention_bias"), output: false },
    rotary: 0.5,
  };
  const exaone4: Traits = {
    ...llama,
    biases: noBiases,
    queryKeyNorm: "head",
    windowed: (layer, { sizeByName }) => (layer + 1) % sizeByName("sliding_window_pattern", 4) !== 0,
  };
  const deepseek: Traits = { ...llama, biases: noBiases };
  /** Layer norms and biases everywhere, two matrices in the feed-forward layer, no rotary embedding. */
  const gpt2: Traits = {
    ...llama,
    norm: "layer",
    biases: allBiases,
    mlpBias: true,
    gated: false,
    mlpRatio: 4,
    rotary: 0,
    tied: true,
    positions: { extra: 0 },
  };
  const gptj: Traits = {
    ...gpt2,
    norms: 1,
    biases: noBiases,
    rotary: 1,
    tied: false,
    outputBias: true,
    positions: null,
  };
  const bert: Traits = {
    ...gpt2,
    form: "encoder",
    embeddingNorm: true,
    finalNorm: false,
    tokenTypes: 2,
    pooler: true,
  };
  const bart: Traits = {
    ...gpt2,
    form: "bart",
    positions: { extra: 2 },
    embeddingNorm: true,
    finalNorm: false,
  };
  const t5: Traits = {
    ...llama,
    form: "t5",
    biases: noBiases,
    mlpBias: false,
    gated: ({ config, flag }) =>
      flag("is_gated_act", String(config["feed_forward_proj"] ?? "").startsWith("gated")),
    rotary: 0,
    tied: true,
  };
  /** Only a selective scan in each layer. */
  const mamba: Traits = {
    ...llama,
    ...{ norms: 1, tied: true, stateLayer: "selectiveScan", mixersOnly: true },
    attends: () => false,
  };
  /** Rule for one layer in each `period`, at index `offset`; the configuration may override both. */
  const everyNthLayer =
    (kind: string, period: number, offset: number) =>
    (layer: number, { sizeByName, config }: Fields): boolean => {
      const first = config[`${kind}_layer_offset`];
      return (
        layer % sizeByName(`${kind}_layer_period`, period) === (typeof first === "number" ? first : offset)
      );
    };
  const cohere: Traits = {
    ...llama,
    norm: "layer-without-bias",
    norms: 1,
    tied: true,
    queryKeyNorm: ({ flag }) => (flag("use_qk_norm", false) ? "whole" : "none"),
  };

  /** BERT with a relative position bias, and BERT with embeddings of another width. */
  const mpnet: Traits = { ...bert, tokenTypes: 0, relativeBias: true };
  const electra: Traits = { ...bert, pooler: false, embeddingDim: 128 };
  const sinusoidal: Traits = { ...bart, positions: null, embeddingNorm: false, sinusoids: true };
  const preNorm: Traits = { ...gpt2, form: "encoder", mlpRatio: null };
  const vit: Traits = {
    ...{ ...preNorm, form: "vision", pooler: true, vision: {} },
    biases: { query: flagRule("qkv_bias", true), output: true },
    defaults: {
      ...{ hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
      ...{ image_size: 224, patch_size: 16, num_channels: 3 },
    },
  };
  const clipVision: Traits = {
    ...{ ...vit, pooler: false, biases: allBiases, embeddingNorm: true },
    defaults: { ...vit.defaults, patch_size: 32 },
    vision: { patchBias: false, pooledNorm: true },
  };
  const siglipVision: Traits = {
    ...{ ...vit, pooler: false, biases: allBiases },
    vision: { classTokens: 0, attentionPooling: true },
  };
  const dinov2: Traits = {
    ...{ ...vit, pooler: false, mlpRatio: 4, gated: flagRule("use_swiglu_ffn") },
    defaults: { ...vit.defaults, patch_size: 14, intermediate_size: undefined },
    vision: { maskToken: true, layerScale: true },
  };
  const clipText: Traits = {
    ...{ ...preNorm, causal: true },
    defaults: {
      ...{ vocab_size: 49408, hidden_size: 512, intermediate_size: 2048, max_position_embeddings: 77 },
      ...{ num_hidden_layers: 12, num_attention_heads: 8 },
    },
  };
  const siglipText: Traits = {
    ...preNorm,
    defaults: {
      ...{ vocab_size: 32000, hidden_size: 768, intermediate_size: 3072, max_position_embeddings: 64 },
      ...{ num_hidden_layers: 12, num_attention_heads: 12 },
    },
  };

  /** Gemma 3 with per-layer embeddings. */
  const withLayerEmbeddings: Traits = { ...gemma3, layerInputs: 256 };
  return {
    llama,
    mistral: { ...llama, biases: noBiases },
    ministral: { ...llama, biases: noBiases },
    mixtral: { ...llama, biases: noBiases },
    granite: { ...llama, tied: true },
    granitemoe: { ...llama, tied: true },
    smollm3: { ...llama, tied: true },
    internlm2: llama,
    apertus: { ...llama, gated: false, queryKeyNorm: "head", activationNumbers: 4 },
    diffllama: { ...llama, differential: true },
    baichuan: { ...llama, biases: noBiases },
    arcee: { ...llama, gated: false },
    cwm: { ...llama, biases: noBiases, windowed: (layer) => layer % 4 !== 0 },
    ernie4_5: ernie,
    ernie4_5_moe: { ...ernie, routerBias: true, sharedExperts: 2, denseLayers: 1 },
    afmoe: {
      ...{ ...llama, biases: noBiases, norms: 4, queryKeyNorm: "head", outputGate: true },
      ...{ routerBias: true, sharedExperts: 2, denseLayers: 1 },
      windowed: (layer, { sizeByName }) => (layer + 1) % sizeByName("global_attn_every_n_layers", 4) !== 0,
    },
    exaone_moe: { ...exaone4, routerBias: true, sharedExperts: 1, denseLayers: 1 },
    exaone4,
    flex_olmo: { ...llama, queryKeyNorm: "whole" },
    glm4_moe_lite: { ...deepseek, routerBias: true, sharedExperts: 1, denseLayers: 1 },
    jais2: {
      ...{ ...llama, norm: "layer", gated: false, mlpBias: flagRule("mlp_bias", true) },
      biases: { query: flagRule("attention_bias", true), output: flagRule("attention_bias", true) },
    },
    ministral3: { ...llama, biases: noBiases },
    nanochat: { ...llama, norm: "plain", gated: false, embeddingNorm: true },
    solar_open: { ...glm, rotary: 1, routerBias: true, sharedExperts: 1 },
    youtu: { ...deepseek, tied: true },
    glm,
    glm4: { ...glm, norms: 4 },
    glm4_moe: {
      ...glm,
      queryKeyNorm: ({ flag }) => (flag("use_qk_norm", false) ? "head" : "none"),
      ...{ routerBias: true, sharedExperts: 1, denseLayers: 1 },
    },
    granitemoeshared: { ...llama, tied: true },
    helium: { ...llama, biases: { query: flagRule("attention_bias"), output: false } },
    hunyuan_v1_dense: { ...llama, queryKeyNorm: "head" },
    minimax_m2: { ...llama, biases: noBiases, queryKeyNorm: "whole", routerBias: true },
    seed_oss: {
      ...llama,
      biases: { query: flagRule("attention_bias", true), output: flagRule("attention_out_bias") },
    },
    olmo: { ...llama, norm: "plain" },
    olmo2: { ...llama, queryKeyNorm: "whole" },
    olmo3: { ...llama, queryKeyNorm: "whole", windowed: (layer) => (layer + 1) % 4 !== 0 },
    olmoe: { ...llama, queryKeyNorm: "whole" },
    qwen2,
    qwen2_moe: { ...qwen2, sharedGate: true },
    qwen3,
    qwen3_moe: qwen3,
    qwen3_next: { ...qwen3, sharedGate: true, outputGate: true, rotary: 0.25 },
    minimax: { ...llama, biases: noBiases, stateLayer: "lightningAttention" },
    lfm2: {
      ...llama,
      biases: noBiases,
      queryKeyNorm: "head",
      tied: true,
      stateLayer: "shortConvolution",
    },
    lfm2_moe: {
      ...llama,
      biases: noBiases,
      queryKeyNorm: "head",
      tied: true,
      stateLayer: "shortConvolution",
      routerBias: flagRule("use_expert_bias", true),
      denseLayers: 2,
    },
    qwen3_5_text: { ...qwen3, outputGate: true, rotary: 0.25 },
    qwen3_5_moe_text: { ...qwen3, sharedGate: true, outputGate: true, rotary: 0.25 },
    bamba: {
      ...llama,
      ...{ stateLayer: "ssd", rotary: 0.5 },
      attends: (layer, { list }) => list("attn_layer_indices")?.includes(layer) ?? false,
    },
    jamba: {
      ...llama,
      ...{ biases: noBiases, mlpBias: false, stateLayer: "selectiveScan", rotary: 0 },
      attends: everyNthLayer("attn", 8, 4),
      sparse: everyNthLayer("expert", 2, 1),
    },
    mamba,
    falcon_mamba: mamba,
    mamba2: { ...mamba, stateLayer: "ssd", tied: false },
    /** Each layer has a time mix and a channel mix. */
    rwkv7: {
      ...gpt2,
      biases: noBiases,
      mlpBias: false,
      tied: false,
      positions: null,
      embeddingNorm: true,
      stateLayer: "rwkv7",
    },
    falcon_h1: { ...llama, stateLayer: "ssd", parallelState: true },
    nemotron_h: {
      ...{ ...llama, norms: 1, gated: false, rotary: 0, stateLayer: "ssd", onePartPerLayer: true },
      routerBias: true,
    },
    granitemoehybrid: { ...llama, tied: true, stateLayer: "ssd" },
    gemma,
    vaultgemma: { ...gemma, windowed: (layer) => layer % 2 === 0 },
    gemma2,
    gemma3_text: gemma3,
    gemma3n_text: {
      ...withLayerEmbeddings,
      ...{ streams: { count: 4, rank: 64 }, sharedKeys: 15 },
      windowed: (layer) => (layer + 1) % 5 !== 0,
    },
    gemma4_text: {
      ...withLayerEmbeddings,
      ...{ layerScale: true, fullHeadDim: 512 },
      windowed: (layer, { size }) => (layer + 1) % 6 !== 0 && layer + 1 < size("layers"),
    },
    phi3: { ...llama, biases: noBiases },
    phi: {
      ...gptj,
      biases: allBiases,
      rotary: 0.5,
      queryKeyNorm: ({ flag }) => (flag("qk_layernorm", false) ? "head" : "none"),
    },
    deepseek_v2: deepseek,
    deepseek_v3: { ...deepseek, routerBias: true },
    deepseek_v32: { ...deepseek, routerBias: true, indexer: true },
    dots1: {
      ...llama,
      ...{ queryKeyNorm: "head", routerBias: true, sharedExperts: 1 },
      windowed: (layer, { sizeByName }) => layer >= sizeByName("max_window_layers", 62),
    },
    minicpm3: { ...llama, tied: true },
    kimi_k2: { ...deepseek, routerBias: true },
    gpt_oss: {
      ...llama,
      biases: allBiases,
      sinks: true,
      routerBias: true,
      expertBias: true,
      windowed: (layer) => layer % 2 === 0,
    },
    llama4_text: { ...llama, sharedExperts: 1, windowed: (layer) => (layer + 1) % 4 !== 0 },
    gpt2,
    gpt_bigcode: gpt2,
    gpt_neo: { ...gpt2, biases: { query: false, output: true }, windowed: (layer) => layer % 2 === 1 },
    gptj,
    codegen: gptj,
    gpt_neox: {
      ...gpt2,
      biases: { query: flagRule("attention_bias", true), output: flagRule("attention_bias", true) },
      rotary: 0.25,
      tied: false,
      positions: null,
    },
    stablelm: {
      ...llama,
      norm: "layer",
      biases: { query: flagRule("use_qkv_bias"), output: false },
      norms: ({ flag }) => (flag("use_parallel_residual", false) ? 1 : 2),
      rotary: 0.25,
    },
    starcoder2: {
      ...gpt2,
      biases: { query: flagRule("use_bias", true), output: flagRule("use_bias", true) },
      mlpBias: flagRule("use_bias", true),
      rotary: 1,
      positions: null,
    },
    nemotron: { ...llama, norm: "layer", gated: false, rotary: 0.5 },
    opt: {
      ...gpt2,
      positions: { extra: 2 },
      biases: { query: flagRule("enable_bias", true), output: flagRule("enable_bias", true) },
      mlpBias: flagRule("enable_bias", true),
    },
    biogpt: { ...gpt2, positions: { extra: 2 } },
    bloom: { ...gpt2, positions: null, embeddingNorm: true },
    mpt: { ...gpt2, norm: "layer-without-bias", biases: noBiases, mlpBias: false, positions: null },
    falcon: {
      ...gpt2,
      biases: { query: flagRule("bias"), output: flagRule("bias") },
      mlpBias: flagRule("bias"),
      norms: ({ flag, config }) => {
        if (flag("new_decoder_architecture", false)) return config["num_ln_in_parallel_attn"] === 1 ? 1 : 2;
        return flag("parallel_attn", true) ? 1 : 2;
      },
      rotary: 1,
      positions: null,
    },
    cohere,
    cohere2: {
      ...cohere,
      windowed: (layer, { sizeByName }) => (layer + 1) % sizeByName("sliding_window_pattern", 4) !== 0,
    },
    bert,
    roberta: bert,
    "xlm-roberta": bert,
    camembert: bert,
    "data2vec-text": bert,
    "roberta-prelayernorm": { ...bert, finalNorm: true },
    "xlm-roberta-xl": { ...bert, embeddingNorm: false, finalNorm: true },
    distilbert: { ...bert, tokenTypes: 0, pooler: false },
    electra,
    albert: { ...bert, embeddingDim: 128, sharedLayers: true },
    mpnet,
    nomic_bert: {
      ...{ ...bert, pooler: false, positions: null, rotary: 1, gated: true },
      ...{ biases: noBiases, mlpBias: false },
    },
    modernbert: {
      ...bert,
      // The first layer has no attention norm: the embedding norm precedes it.
      norms: (_, layer) => (layer === 0 ? 1 : 2),
      tokenTypes: 0,
      pooler: false,
      norm: "layer-without-bias",
      biases: { query: flagRule("attention_bias"), output: flagRule("attention_bias") },
      mlpBias: flagRule("mlp_bias"),
      gated: true,
      rotary: 1,
      positions: null,
      finalNorm: true,
      windowed: (layer, { sizeByName }) => layer % sizeByName("global_attn_every_n_layers", 3) !== 0,
    },
    t5,
    mt5: { ...t5, gated: ({ flag }) => flag("is_gated_act", true), tied: false },
    umt5: { ...t5, gated: ({ flag }) => flag("is_gated_act", true), tied: false },
    bart,
    plbart: bart,
    mbart: { ...bart, finalNorm: true },
    blenderbot: { ...bart, positions: { extra: 0 }, embeddingNorm: false, finalNorm: true },
    pegasus: { ...sinusoidal, finalNorm: true },
    marian: sinusoidal,
    m2m_100: { ...sinusoidal, finalNorm: true },
    whisper: {
      ...bart,
      form: "whisper",
      positions: { extra: 0 },
      biases: { query: true, key: false, output: true },
      embeddingNorm: false,
      finalNorm: true,
    },
    moonshine: {
      ...{ ...llama, form: "moonshine", norm: "layer-without-bias", tied: true },
      ...{ biases: noBiases, mlpBias: true, rotary: 0.9 },
    },
    vit,
    deit: { ...vit, vision: { classTokens: 2 } },
    dinov2,
    dinov2_with_registers: {
      ...{ ...dinov2, vision: { ...dinov2.vision, registers: 4 } },
      defaults: { ...dinov2.defaults, patch_size: 16 },
    },
    clip_vision_model: clipVision,
    siglip_vision_model: siglipVision,
    clip_text_model: clipText,
    siglip_text_model: siglipText,
    clip: { ...clipText, form: "dual" },
    siglip: { ...siglipText, form: "dual" },
  };
}
