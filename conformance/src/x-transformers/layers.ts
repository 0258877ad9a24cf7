import { alibi, alibiSlopes, learnedRelative, rope, t5Bias, xpos, type ScoreMod } from "@qkv/attention";
import {
  add,
  arange,
  clamp,
  concat,
  cos,
  flip,
  gelu,
  mul,
  outer,
  pad,
  relu,
  silu,
  sin,
  slice,
  softplus,
  square,
  reshape,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { attend, attentionDefaults, type AttentionContext } from "./attention.js";
import { normalize, project, type Weights } from "./parts.js";

/** Arguments of the constructors of stacks, with their defaults. */
const layersDefaults = {
  dim: 0,
  depth: 1,
  heads: 8,
  attn_dim_head: 64,
  ff_mult: 4,
  ff_swish: false,
  ff_glu: false,
  ff_relu_squared: false,
  // Inferred from the weights.
  ff_no_bias: false,
  use_rmsnorm: false,
  use_scalenorm: false,
  sandwich_norm: false,
  pre_norm: true,
  rotary_pos_emb: false,
  rotary_emb_dim: undefined as number | undefined,
  rotary_xpos: false,
  rotary_xpos_scale_base: 512,
  alibi_pos_bias: false,
  alibi_num_heads: undefined as number | undefined,
  rel_pos_bias: false,
  rel_pos_num_buckets: 32,
  rel_pos_max_distance: 128,
  dynamic_pos_bias: false,
  polar_pos_emb: false,
  residual_attn: false,
  shift_tokens: 0,
  macaron: false,
  add_value_residual: false,
};

type LayersAttributes = typeof layersDefaults;

const stack = (name: string, causal: boolean): ReferenceOp =>
  defineReferenceOp({
    name: `x_transformers.${name}`,
    inputs: ["x"],
    moreInputs: /^param\./,
    attributes: layersDefaults,
    run(inputs, attributes) {
      const weights = ((name) => (inputs as Record<string, Tensor>)[`param.${name}`]) as Weights;
      return { output: layers(weights, attributes, inputs.x, causal) };
    },
  });

/** Stacks of attention and feed-forward layers: causal and bidirectional ones. */
export const layerStacks: readonly ReferenceOp[] = [stack("Decoder", true), stack("Encoder", false)];

function layers(weights: Weights, attributes: LayersAttributes, x: Tensor, causal: boolean): Tensor {
  const { depth, macaron, heads, attn_dim_head: dim_head, pre_norm } = attributes;
  const kinds = Array.from({ length: depth }, () => (macaron ? ["f", "a", "f"] : ["a", "f"])).flat();
  const own = { ...attentionDefaults, dim: attributes.dim, heads, dim_head, causal };
  const positions: AttentionContext = {
    bias: biasOf(weights, attributes, x, causal),
    rotate: rotationOf(weights, attributes, x),
  };
  let firstValues: Tensor | undefined;
  let earlierScores: Tensor | undefined;
  let y = x;
  kinds.forEach((kind, n) => {
    const norm = (which: number, x: Tensor) => normalize(weights, `layers.${n}.0.${which}`, x);
    const wrapped = attributes.shift_tokens > 0 || (macaron && kind === "f") ? "1.fn" : "1";
    const layer: Weights = (name) => weights(`layers.${n}.${wrapped}.${name}`);
    const shifted = shiftTokens(norm(0, y), attributes.shift_tokens);
    let out: Tensor;
    if (kind === "a") {
      const attended = attend(layer, own, shifted, { ...positions, firstValues, earlierScores });
      out = attended.output;
      if (attributes.add_value_residual) firstValues ??= attended.values;
      if (attributes.residual_attn) earlierScores = attended.scores;
    } else {
      out = mul(feedForward(layer, attributes, shifted), macaron ? 0.5 : 1);
    }
    y = norm(2, add(norm(1, out), y));
  });
  return pre_norm ? normalize(weights, "final_norm", y) : y;
}

function feedForward(weights: Weights, { ff_glu, ff_swish, ff_relu_squared }: LayersAttributes, x: Tensor) {
  const activate = ff_relu_squared
    ? (x: Tensor) => square(relu(x))
    : ff_swish
      ? silu
      : (x: Tensor) => gelu(x);
  if (!ff_glu) return project(weights, "ff.2", activate(project(weights, "ff.0.0", x)));
  const both = project(weights, "ff.0.proj", x);
  const half = both.shape[2]! / 2;
  return project(weights, "ff.2", mul(slice(both, 2, 0, half), activate(slice(both, 2, half))));
}

/** Splits the channels into as many parts as shifts, and shifts part s by s tokens. */
function shiftTokens(x: Tensor, most: number): Tensor {
  if (most === 0) return x;
  const [, N, C] = x.shape as [number, number, number];
  const width = Math.floor(C / (most + 1));
  const parts = Array.from({ length: most + 1 }, (_, by) =>
    pad(slice(slice(x, 2, by * width, (by + 1) * width), 1, 0, N - by), 1, by, 0),
  );
  return concat([...parts, slice(x, 2, width * (most + 1))], 2);
}

function biasOf(
  weights: Weights,
  attributes: LayersAttributes,
  x: Tensor,
  causal: boolean,
): ScoreMod | undefined {
  const { heads, alibi_num_heads: some = heads, attn_dim_head } = attributes;
  const N = x.shape[1]!;
  const { dtype, device } = x;
  const table = weights("rel_pos.relative_attention_bias.weight");
  if (attributes.alibi_pos_bias)
    return alibi(
      tensor([...alibiSlopes(some), ...Array.from({ length: heads - some }, () => 0)], { dtype, device }),
    );
  if (table)
    return t5Bias(mul(table, Math.sqrt(attn_dim_head)), {
      bidirectional: !causal,
      maxDistance: attributes.rel_pos_max_distance,
    });
  if (!attributes.dynamic_pos_bias) return undefined;
  const distances = reshape(arange(2 * N - 1, { start: 1 - N, dtype, device }), [-1, 1]);
  const hidden = ["rel_pos.mlp.0.0", "rel_pos.mlp.1.0"].reduce(
    (y, name) => silu(project(weights, name, y)),
    distances,
  );
  // Rows count how far the query is after the key; those of the bias how far the key is after the query.
  return learnedRelative(flip(project(weights, "rel_pos.mlp.2", hidden), 0));
}

function rotationOf(weights: Weights, attributes: LayersAttributes, x: Tensor): AttentionContext["rotate"] {
  const { attn_dim_head: headDim, rotary_emb_dim: rotaryDim = Math.floor(headDim / 2) } = attributes;
  const options = { headDim, rotaryDim, layout: "interleaved" } as const;
  const start = { start: 0 };
  if (attributes.rotary_xpos) {
    const sides = xpos({ ...options, scaleBase: attributes.rotary_xpos_scale_base });
    return (x, side) => sides[side].apply(x, start);
  }
  if (attributes.rotary_pos_emb) {
    const rotary = rope(options);
    return (x) => rotary.apply(x, start);
  }
  const bias = weights("polar_pos_emb.learned_bias"); // [H, 1, D]
  if (!bias) return undefined;
  const { dtype, device } = x;
  const frequencies = tensor(
    Array.from({ length: headDim }, (_, i) => 10000 ** (-i / headDim)),
    { dtype, device },
  );
  const angles = outer(arange(x.shape[1]!, { dtype, device }), frequencies); // [N, D]
  const rotated = add(angles, clamp(bias, { min: -2 * Math.PI, max: 0 })); // [H, N, D]
  return (x, side) => {
    const [length, angle] = [softplus(x), side === "query" ? angles : rotated];
    return concat([mul(length, cos(angle)), mul(length, sin(angle))], 3);
  };
}
