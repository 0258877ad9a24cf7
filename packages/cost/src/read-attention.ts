import type { Rule, Traits } from "./architectures.js";
import type { Fields } from "./config-fields.js";
import { ArgumentError } from "@qkv/core";
import type {
  AttentionShape,
  HeadsAttention,
  LatentAttention,
  Reach,
  StateAttention,
} from "./model-shape.js";

/** Evaluates a rule for a configuration. */
export const holds = (rule: Rule, fields: Fields): boolean =>
  typeof rule === "function" ? rule(fields) : rule;

/** The kinds of layers that a configuration may list. */
export const layerTypes = [
  "full_attention",
  "sliding_attention",
  "chunked_attention",
  "linear_attention",
] as const;

/** The attention of a layer. */
export function readAttention(fields: Fields, traits: Traits, layer: number): AttentionShape {
  const kind = fields.list("layer_types")?.[layer] ?? stateByInterval(fields, layer);
  if (kind === "linear_attention") return readState(fields);
  const reach = readReach(fields, traits, layer, kind);
  return typeof fields.config["kv_lora_rank"] === "number"
    ? readLatent(fields, reach)
    : readHeads(fields, traits, reach);
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
  const rotatedFraction = fields.share(["partial_rotary_factor", "rotary_pct"], rotaryFraction);
  const norm = traits.queryKeyNorm;
  return {
    kind: "heads",
    numHeads: heads,
    numKvHeads,
    headDim,
    reach,
    rotaryDim:
      rotaryFraction === 0
        ? 0
        : fields.own("rotary_dim", 2 * Math.floor((headDim * rotatedFraction) / 2) || 0),
    biases: {
      query: holds(biases.query, fields),
      key: holds(biases.key ?? biases.query, fields),
      output: holds(biases.output, fields),
    },
    queryKeyNorm: typeof norm === "function" ? norm(fields) : norm,
    sinks: traits.sinks,
    outputGate: traits.outputGate,
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

function readLatent(fields: Fields, reach: Reach): LatentAttention {
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
  };
}

function readState({ own }: Fields): StateAttention {
  return {
    kind: "state",
    numKeyHeads: own("linear_num_key_heads"),
    numValueHeads: own("linear_num_value_heads"),
    keyDim: own("linear_key_head_dim"),
    valueDim: own("linear_value_head_dim"),
    convolution: own("linear_conv_kernel_dim", 4),
  };
}

function readReach(fields: Fields, traits: Traits, layer: number, kind: unknown): Reach {
  const causal = traits.form !== "encoder";
  const unlimited: Reach = { kind: causal ? "causal" : "all" };
  if (kind === "full_attention") return unlimited;
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
