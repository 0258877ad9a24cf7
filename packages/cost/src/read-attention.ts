import type { Rule, Traits } from "./architectures.js";
import { configFields, type Fields } from "./config-fields.js";
import { ArgumentError } from "@qkv/core";
import { headsOfLayer } from "./heads-of-layer.js";
import { layerPart } from "./layer-kinds.js";
import type { HeadsAttention, LatentAttention, Layer, Reach, StateAttention } from "./model-shape.js";

/** Evaluates a rule for a configuration. */
export const holds = (rule: Rule, fields: Fields): boolean =>
  typeof rule === "function" ? rule(fields) : rule;

/** The names that configurations have for layers with a state, by their mixer. */
const stateTypes = {
  gatedDeltaRule: ["linear_attention"],
  lightningAttention: ["linear_attention"],
  shortConvolution: ["conv"],
  ssd: ["linear_attention", "mamba"],
  selectiveScan: [],
  rwkv7: [],
} as const satisfies Record<Traits["stateLayer"], readonly string[]>;

/** The kinds of layers that a configuration of an architecture may list. */
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
  if (traits.onePart) return readPart(fields, traits, layer);
  if (traits.stateLayer === "rwkv7") return readTimeMix(fields, layer);
  if (traits.attends && !traits.attends(layer, fields)) return readState(fields, traits);
  const kind = fields.list("layer_types")?.[layer] ?? stateByInterval(fields, layer);
  if (stateTypes[traits.stateLayer].some((type) => type === kind)) return readState(fields, traits);
  const reach = readReach(fields, traits, layer, kind);
  return typeof fields.config["kv_lora_rank"] === "number"
    ? readLatent(fields, traits, reach)
    : readOwnHeads(fields, traits, { layer, kind, reach });
}

/** The attention of a layer that is one part alone. */
function readPart(fields: Fields, traits: Traits, layer: number): Layer["attention"] {
  const part = layerPart(fields, layer);
  if (part === "mixer") return readState(fields, traits);
  return part === "attention" ? readHeads(fields, traits, { kind: "causal" }) : { kind: "none" };
}

/** Heads, in the sizes of their layer, and with the keys and values of another in the last layers. */
function readOwnHeads(
  fields: Fields,
  traits: Traits,
  { layer, kind, reach }: { layer: number; kind: unknown; reach: Reach },
): HeadsAttention {
  const { config, size, count } = fields;
  const own = headsOfLayer(config, layer);
  const isFull = kind === undefined ? !traits.windowed(layer, fields) : kind === "full_attention";
  const ofFull = isFull && traits.fullHeadDim && !config["per_layer_config"];
  const { numKvHeads, headDim = ofFull ? fields.own("global_head_dim", traits.fullHeadDim) : undefined } =
    own;
  const heads = readHeads(
    configFields({
      ...config,
      ...(numKvHeads !== undefined && { num_key_value_heads: numKvHeads }),
      ...(headDim !== undefined && { head_dim: headDim }),
    }),
    traits,
    reach,
  );
  const sharing = count("sharedKvLayers", traits.sharedKeys ?? 0);
  return { ...heads, ...(layer >= size("layers") - sharing && { sharesKeyValues: true }) };
}

/** `full_attention_interval` n: every n-th layer has full attention, the others linear attention. */
function stateByInterval({ config }: Fields, layer: number): string | undefined {
  const interval = config["full_attention_interval"];
  if (typeof interval !== "number" || Array.isArray(config["layer_types"])) return undefined;
  return (layer + 1) % interval === 0 ? "full_attention" : "linear_attention";
}

/** Multi-head, grouped-query or multi-query attention. `heads`: number of query heads, for a stack with its own. */
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
  const rotated = headDim * fields.share(["partial_rotary_factor", "rotary_pct"], rotaryFraction);
  // In Moonshine the pair that an odd number begins rotates whole.
  const pairs = traits.form === "moonshine" ? Math.ceil(Math.floor(rotated) / 2) : Math.floor(rotated / 2);
  const norm = traits.queryKeyNorm;
  return {
    kind: "heads",
    numHeads: heads,
    numKvHeads,
    headDim,
    reach,
    rotaryDim: rotaryFraction === 0 ? 0 : fields.own("rotary_dim", 2 * pairs || 0),
    biases: {
      query: holds(biases.query, fields),
      key: holds(biases.key ?? biases.query, fields),
      output: holds(biases.output, fields),
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
  const given = fields.sizeOrNull("headDim");
  if (given !== null) return given;
  const width = fields.size("width");
  if (width % heads === 0) return width / heads;
  throw new ArgumentError({
    fn: "readConfig",
    argument: "head_dim",
    received: undefined,
    expected: `a whole number, and the width ${width} divided by ${heads} heads is none`,
    fix: "give head_dim, or a number of heads that divides the width.",
  });
}

function readLatent(fields: Fields, { indexer }: Traits, reach: Reach): LatentAttention {
  const { config, own, size } = fields;
  return {
    kind: "latent",
    numHeads: size("heads"),
    queryRank: !config["q_lora_rank"] ? null : own("q_lora_rank"),
    kvRank: own("kv_lora_rank"),
    nopeDim: own("qk_nope_head_dim"),
    ropeDim: own("qk_rope_head_dim"),
    valueDim: own("v_head_dim"),
    reach,
    ...(indexer && {
      indexer: { numHeads: own("index_n_heads"), headDim: own("index_head_dim"), topK: own("index_topk") },
    }),
  };
}

/** RWKV-7's time mix: decay, rate, gate and, after the first layer, the share of its values come through maps of low rank. */
function readTimeMix({ own, size }: Fields, layer: number): StateAttention {
  const [width, headDim] = [size("width"), own("head_size", 64)];
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
    // Biases of decay, rate and the share of values, factors of two keys, and weights of the bonus.
    learned: (layer > 0 ? 6 : 5) * width,
    ranks: ranks.map((name) => own(name)),
    shifts: 6,
    outputNorm: "layer",
    outputGate: false,
  };
}

/** A layer with a state, as the architecture has it. */
export function readState(fields: Fields, traits: Traits): StateAttention {
  const { stateLayer, mixersAlone } = traits;
  const { own, size } = fields;
  const none = { convolution: 1, convolutionBias: false, gates: 0, learned: 0 } as const;
  switch (stateLayer) {
    case "rwkv7":
      return readTimeMix(fields, 0);
    case "selectiveScan":
      return readScan(fields, traits);
    case "gatedDeltaRule": {
      const numValueHeads = own("linear_num_value_heads");
      return {
        kind: "state",
        mixer: "gatedDeltaRule",
        numKeyHeads: own("linear_num_key_heads"),
        numValueHeads,
        keyDim: own("linear_key_head_dim"),
        valueDim: own("linear_value_head_dim"),
        convolution: own("linear_conv_kernel_dim", 4),
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
      // Two gates and a value of the model's width, each channel on its own.
      const [width, taps] = [size("width"), own("conv_L_cache", 3)];
      const sizes = { numKeyHeads: 1, numValueHeads: 1, keyDim: width, valueDim: width };
      return {
        ...{ kind: "state", mixer: "shortConvolution", ...sizes, ...none, taps },
        learned: width * taps,
        outputNorm: "none",
        outputGate: false,
      };
    }
    case "ssd": {
      const names = traits.onePart ? namesOfParts : mixersAlone ? namesAlone : namesBeside;
      const numValueHeads = own(names.heads);
      return {
        kind: "state",
        mixer: "ssd",
        numKeyHeads: own(names.groups, 1),
        numValueHeads,
        keyDim: own(names.state),
        valueDim: own(names.headDim, (own(names.expand, 2) * size("width")) / numValueHeads),
        convolution: own(names.taps, 4),
        convolutionBias: fields.flag(names.convolutionBias, true),
        gates: numValueHeads,
        learned: 3 * numValueHeads, // rates, skips and biases of time steps
        outputNorm: fields.flag("mamba_rms_norm", true) ? "whole" : "none",
        outputGate: true,
      };
    }
  }
}

/** Names of the fields of Mamba's mixers in stacks of them. */
const namesAlone = {
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
/** The same in stacks with attention, where the number of channels follows from `expand`. */
const namesBeside = {
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

/** The same where a mixer is one of several parts that a layer may be. */
const namesOfParts = {
  ...namesAlone,
  heads: "mamba_num_heads",
  headDim: "mamba_head_dim",
  state: "ssm_state_size",
} as const;

/** Mamba: each channel is a head of one number, whose keys, queries and time steps are made from all channels. */
function readScan(fields: Fields, { mixersAlone }: Traits): StateAttention {
  const { own, size, config } = fields;
  const names = mixersAlone ? namesAlone : namesBeside;
  const width = size("width");
  const channels = own(names.channels, own(names.expand, 2) * width);
  const states = own(names.state, 16);
  const rank = config[names.rank] === "auto" ? Math.ceil(width / 16) : own(names.rank, Math.ceil(width / 16));
  return {
    ...{ kind: "state", mixer: "selectiveScan", numKeyHeads: 1, numValueHeads: channels },
    ...{ keyDim: states, valueDim: 1, gates: 0, timeStepRank: rank },
    convolution: own(names.taps, 4),
    convolutionBias: fields.flag(names.convolutionBias, true),
    // Rates and skips; Jamba has gains of what the scan reads too.
    learned: channels * (states + 1) + (mixersAlone ? 0 : rank + 2 * states),
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
