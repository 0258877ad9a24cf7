import type { Rule, Traits } from "./architectures.js";
import { configFields, type Fields } from "./config-fields.js";
import { ArgumentError } from "@qkv/core";
import { headsOfLayer } from "./heads-of-layer.js";
import { layerPart } from "./layer-kinds.js";
import type { HeadsAttention, LatentAttention, Layer, Reach, StateAttention } from "./model-shape.js";

/** Evaluates a rule for a configuration. */
export const evaluateRule = (rule: Rule, fields: Fields): boolean =>
  typeof rule === "function" ? rule(fields) : rule;

/** Names of recurrent layers in `layer_types`, by mixer. */
const stateTypes = {
  gatedDeltaRule: ["linear_attention"],
  lightningAttention: ["linear_attention"],
  shortConvolution: ["conv"],
  ssd: ["linear_attention", "mamba"],
  selectiveScan: [],
  rwkv7: [],
} as const satisfies Record<Traits["stateLayer"], readonly string[]>;

/** Valid values of `layer_types` for an architecture. */
export const layerTypes = ({ stateLayer, indexer }: Traits): readonly string[] => [
  "full_attention",
  "sliding_attention",
  "chunked_attention",
  ...stateTypes[stateLayer],
  ...(stateLayer === "ssd" ? ["attention"] : []),
  ...(indexer ? ["deepseek_sparse_attention"] : []),
];

/** The attention of a layer. */
export function readAttention(fields: Fields, traits: Traits, layer: number): Layer["attention"] {
  if (traits.onePartPerLayer) return readSinglePart(fields, traits, layer);
  if (traits.stateLayer === "rwkv7") return readTimeMix(fields, layer);
  if (traits.attends && !traits.attends(layer, fields)) return readState(fields, traits);
  const kind = fields.list("layer_types")?.[layer] ?? stateByInterval(fields, layer);
  if (stateTypes[traits.stateLayer].some((type) => type === kind)) return readState(fields, traits);
  const reach = readReach(fields, traits, layer, kind);
  return typeof fields.config["kv_lora_rank"] === "number"
    ? readLatent(fields, traits, reach)
    : readLayerHeads(fields, traits, { layer, kind, reach });
}

/** The attention of a layer that has only one part. */
function readSinglePart(fields: Fields, traits: Traits, layer: number): Layer["attention"] {
  const part = layerPart(fields, layer);
  if (part === "mixer") return readState(fields, traits);
  return part === "attention" ? readHeads(fields, traits, { kind: "causal" }) : { kind: "none" };
}

/** Heads of one layer, whose sizes may differ from the model's, and which may share the keys and values of an earlier layer. */
function readLayerHeads(
  fields: Fields,
  traits: Traits,
  { layer, kind, reach }: { layer: number; kind: unknown; reach: Reach },
): HeadsAttention {
  const { config, size, count } = fields;
  const overrides = headsOfLayer(config, layer);
  const isFull = kind === undefined ? !traits.windowed(layer, fields) : kind === "full_attention";
  const usesFullHeadDim = isFull && traits.fullHeadDim && !config["per_layer_config"];
  const {
    numKvHeads,
    headDim = usesFullHeadDim ? fields.sizeByName("global_head_dim", traits.fullHeadDim) : undefined,
  } = overrides;
  const heads = readHeads(
    configFields({
      ...config,
      ...(numKvHeads !== undefined && { num_key_value_heads: numKvHeads }),
      ...(headDim !== undefined && { head_dim: headDim }),
    }),
    traits,
    reach,
  );
  const numSharing = count("sharedKvLayers", traits.sharedKeys ?? 0);
  return { ...heads, ...(layer >= size("layers") - numSharing && { sharesKeyValues: true }) };
}

/** The layer type by `full_attention_interval` n: every n-th layer has full attention, the others linear attention. */
function stateByInterval({ config }: Fields, layer: number): string | undefined {
  const interval = config["full_attention_interval"];
  if (typeof interval !== "number" || Array.isArray(config["layer_types"])) return undefined;
  return (layer + 1) % interval === 0 ? "full_attention" : "linear_attention";
}

/** Multi-head, grouped-query or multi-query attention. `heads`: number of query heads, default that of the configuration. */
export function readHeads(
  fields: Fields,
  traits: Traits,
  reach: Reach,
  heads = fields.size("heads"),
): HeadsAttention {
  const numKvHeads = readKvHeads(fields, heads);
  if (heads % numKvHeads !== 0) {
    throw new ArgumentError({
      fn: "readConfig",
      argument: "num_key_value_heads",
      received: numKvHeads,
      expected: `a divisor of the number of heads, ${heads}`,
      fix: "each key-value head serves the same number of query heads.",
    });
  }
  const headDim = readHeadDim(fields, heads);
  const { biases, rotary } = traits;
  const rotaryFraction = fields.flag("alibi", false) ? 0 : rotary;
  const rotated = headDim * fields.fraction(["partial_rotary_factor", "rotary_pct"], rotaryFraction);
  // Moonshine rounds an odd number of rotated dimensions up to a whole pair.
  const pairs = traits.form === "moonshine" ? Math.ceil(Math.floor(rotated) / 2) : Math.floor(rotated / 2);
  const norm = traits.queryKeyNorm;
  return {
    kind: "heads",
    numHeads: heads,
    numKvHeads,
    headDim,
    reach,
    rotaryDim: rotaryFraction === 0 ? 0 : fields.sizeByName("rotary_dim", 2 * pairs || 0),
    biases: {
      query: evaluateRule(biases.query, fields),
      key: evaluateRule(biases.key ?? biases.query, fields),
      output: evaluateRule(biases.output, fields),
    },
    queryKeyNorm: typeof norm === "function" ? norm(fields) : norm,
    sinks: traits.sinks,
    outputGate: traits.outputGate,
    ...(traits.differential && { differential: true }),
  };
}

/** Number of key-value heads. Default: as many as query heads; one with `multi_query` of older configurations. */
function readKvHeads(fields: Fields, heads: number): number {
  const { config } = fields;
  const isOlderConfig = config["model_type"] === "falcon" || config["model_type"] === "gpt_bigcode";
  if (isOlderConfig && !fields.flag("new_decoder_architecture", false))
    return fields.flag("multi_query", true) ? 1 : heads;
  return fields.size("kvHeads", heads);
}

function readHeadDim(fields: Fields, heads: number): number {
  const headDim = fields.sizeOrNull("headDim");
  if (headDim !== null) return headDim;
  const width = fields.size("width");
  if (width % heads === 0) return width / heads;
  throw new ArgumentError({
    fn: "readConfig",
    argument: "head_dim",
    received: undefined,
    expected: `an integer, and the width ${width} divided by ${heads} heads is none`,
    fix: "give head_dim, or a number of heads that divides the width.",
  });
}

function readLatent(fields: Fields, { indexer }: Traits, reach: Reach): LatentAttention {
  const { config, sizeByName, size } = fields;
  return {
    kind: "latent",
    numHeads: size("heads"),
    queryRank: !config["q_lora_rank"] ? null : sizeByName("q_lora_rank"),
    kvRank: sizeByName("kv_lora_rank"),
    nopeDim: sizeByName("qk_nope_head_dim"),
    ropeDim: sizeByName("qk_rope_head_dim"),
    valueDim: sizeByName("v_head_dim"),
    reach,
    ...(indexer && {
      indexer: {
        numHeads: sizeByName("index_n_heads"),
        headDim: sizeByName("index_head_dim"),
        topK: sizeByName("index_topk"),
      },
    }),
  };
}

/** RWKV-7's time mix: low-rank maps for decay, in-context learning rate and gate, and after the first layer for the value residual. */
function readTimeMix({ sizeByName, size }: Fields, layer: number): StateAttention {
  const [width, headDim] = [size("width"), sizeByName("head_size", 64)];
  const heads = width / headDim;
  if (!Number.isInteger(heads)) {
    throw new ArgumentError({
      fn: "readConfig",
      argument: "head_size",
      received: headDim,
      expected: `a divisor of the width ${width}`,
      fix: "give the size of a head of this model.",
    });
  }
  const ranks = ["decay_lora", "aaa_lora", "gate_lora", ...(layer > 0 ? ["mv_lora"] : [])];
  return {
    ...{ kind: "state", mixer: "rwkv7", keyDim: headDim, valueDim: headDim },
    ...{ numKeyHeads: heads, numValueHeads: heads, convolution: 1, convolutionBias: false, gates: 0 },
    // Biases of decay, learning rate and value residual, two factors of keys, and the bonus.
    learned: (layer > 0 ? 6 : 5) * width,
    ranks: ranks.map((name) => sizeByName(name)),
    shifts: 6,
    outputNorm: "layer",
    outputGate: false,
  };
}

/** The recurrent mixer of a layer. */
export function readState(fields: Fields, traits: Traits): StateAttention {
  const { stateLayer, mixersOnly } = traits;
  const { sizeByName, size } = fields;
  const none = { convolution: 1, convolutionBias: false, gates: 0, learned: 0 } as const;
  switch (stateLayer) {
    case "rwkv7":
      return readTimeMix(fields, 0);
    case "selectiveScan":
      return readScan(fields, traits);
    case "gatedDeltaRule": {
      const numValueHeads = sizeByName("linear_num_value_heads");
      return {
        kind: "state",
        mixer: "gatedDeltaRule",
        numKeyHeads: sizeByName("linear_num_key_heads"),
        numValueHeads,
        keyDim: sizeByName("linear_key_head_dim"),
        valueDim: sizeByName("linear_value_head_dim"),
        convolution: sizeByName("linear_conv_kernel_dim", 4),
        convolutionBias: false,
        gates: 2 * numValueHeads,
        learned: 2 * numValueHeads, // the bias of the time step (`dt_bias`) and the logarithm of the decay (`A_log`)
        outputNorm: "head",
        outputGate: true,
      };
    }
    case "lightningAttention": {
      const heads = size("heads");
      const width = readHeadDim(fields, heads);
      const sizes = { numKeyHeads: heads, numValueHeads: heads, keyDim: width, valueDim: width };
      return {
        ...{ kind: "state", mixer: "lightningAttention", ...sizes, ...none },
        outputNorm: "whole",
        outputGate: true,
      };
    }
    case "shortConvolution": {
      // Two gates and a value, each of the model's width; the convolution is depthwise.
      const [width, taps] = [size("width"), sizeByName("conv_L_cache", 3)];
      const sizes = { numKeyHeads: 1, numValueHeads: 1, keyDim: width, valueDim: width };
      return {
        ...{ kind: "state", mixer: "shortConvolution", ...sizes, ...none, taps },
        learned: width * taps,
        outputNorm: "none",
        outputGate: false,
      };
    }
    case "ssd": {
      const names = traits.onePartPerLayer ? nemotronFields : mixersOnly ? mambaFields : hybridMambaFields;
      const numValueHeads = sizeByName(names.heads);
      return {
        kind: "state",
        mixer: "ssd",
        numKeyHeads: sizeByName(names.groups, 1),
        numValueHeads,
        keyDim: sizeByName(names.state),
        valueDim: sizeByName(names.headDim, (sizeByName(names.expand, 2) * size("width")) / numValueHeads),
        convolution: sizeByName(names.taps, 4),
        convolutionBias: fields.flag(names.convolutionBias, true),
        gates: numValueHeads,
        learned: 3 * numValueHeads, // A_log, D and dt_bias
        outputNorm: fields.flag("mamba_rms_norm", true) ? "whole" : "none",
        outputGate: true,
      };
    }
  }
}

/** Field names of Mamba and Mamba 2 models. */
const mambaFields = {
  channels: "intermediate_size",
  expand: "expand",
  state: "state_size",
  taps: "conv_kernel",
  rank: "time_step_rank",
  convolutionBias: "use_conv_bias",
  heads: "num_heads",
  headDim: "head_dim",
  groups: "n_groups",
} as const;
/** Field names in hybrid models; the number of channels follows from `expand`. */
const hybridMambaFields = {
  channels: "",
  expand: "mamba_expand",
  state: "mamba_d_state",
  taps: "mamba_d_conv",
  rank: "mamba_dt_rank",
  convolutionBias: "mamba_conv_bias",
  heads: "mamba_n_heads",
  headDim: "mamba_d_head",
  groups: "mamba_n_groups",
} as const;

/** Field names in Nemotron-H. */
const nemotronFields = {
  ...mambaFields,
  heads: "mamba_num_heads",
  headDim: "mamba_head_dim",
  state: "ssm_state_size",
} as const;

/** Mamba's selective scan: each channel is a head with one value; B, C and time steps are projected from all channels. */
function readScan(fields: Fields, { mixersOnly }: Traits): StateAttention {
  const { sizeByName, size, config } = fields;
  const names = mixersOnly ? mambaFields : hybridMambaFields;
  const width = size("width");
  const channels = sizeByName(names.channels, sizeByName(names.expand, 2) * width);
  const stateSize = sizeByName(names.state, 16);
  const rank =
    config[names.rank] === "auto" ? Math.ceil(width / 16) : sizeByName(names.rank, Math.ceil(width / 16));
  return {
    ...{ kind: "state", mixer: "selectiveScan", numKeyHeads: 1, numValueHeads: channels },
    ...{ keyDim: stateSize, valueDim: 1, gates: 0, timeStepRank: rank },
    convolution: sizeByName(names.taps, 4),
    convolutionBias: fields.flag(names.convolutionBias, true),
    // A_log and D; Jamba also has norm gains for time step, B and C.
    learned: channels * (stateSize + 1) + (mixersOnly ? 0 : rank + 2 * stateSize),
    outputNorm: "none",
    outputGate: true,
  };
}

function readReach(fields: Fields, traits: Traits, layer: number, kind: unknown): Reach {
  const causal = traits.causal ?? traits.form !== "encoder";
  const unlimited: Reach = { kind: causal ? "causal" : "all" };
  if (["full_attention", "attention", "deepseek_sparse_attention"].includes(kind as string)) return unlimited;
  const chunk = fields.config["attention_chunk_size"];
  if (typeof chunk === "number" && (kind === "chunked_attention" || traits.windowed(layer, fields)))
    return { kind: "chunk", size: chunk };
  const window = fields.sizeOrNull("window");
  if (window === null || (kind !== "sliding_attention" && !traits.windowed(layer, fields))) return unlimited;
  // An encoder's window is centered on the token: half of it on each side.
  return causal
    ? { kind: "window", size: window }
    : { kind: "around", size: Math.max(1, Math.floor(window / 2)) };
}
