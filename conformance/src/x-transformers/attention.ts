import {
  and,
  causal,
  cope,
  forgetting,
  l2Distance,
  maskTensor,
  memoryKeys,
  outputGate,
  plainAttention,
  selective,
  sigmoidWeights,
  slidingWindow,
  topKScores,
  valueResidual,
  type PlainAttentionOptions,
  type ScoreForm,
  type ScoreMod,
} from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import {
  add,
  concat,
  div,
  exp,
  log,
  maximum,
  mul,
  neg,
  pad,
  permute,
  reshape,
  sigmoid,
  silu,
  softplus,
  sub,
  sum,
  tanh,
  tile,
  where,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp } from "../reference-op.js";
import {
  addedTalkingHeads,
  cogSigned,
  inverted,
  plusScores,
  postTalkingHeads,
  scoresScaleWeights,
  talkingCope,
} from "./forms.js";
import { mergeHeads, project, splitHeads, unit, unitRms, type Weights } from "./parts.js";

/** Arguments of the constructor, with its defaults. */
export const attentionDefaults = {
  dim: 0,
  heads: 8,
  dim_head: 64,
  causal: false,
  pre_talking_heads: false,
  post_talking_heads: false,
  pre_scale_post_talking_heads: false,
  sparse_topk: undefined as number | undefined,
  max_attend_past: undefined as number | undefined,
  num_mem_kv: 0,
  add_zero_kv: false,
  head_learned_sink: false,
  gate_values: false,
  gate_values_headwise: false,
  gate_value_heads: false,
  output_gate: false,
  swiglu_values: false,
  qk_norm: false,
  qk_norm_scale: 10,
  qk_norm_groups: 1,
  qk_norm_dim_scale: false,
  qk_rmsnorm: false,
  value_rmsnorm: false,
  l2_distance: false,
  sigmoid: false,
  selective: false,
  cog_signed: false,
  one_kv_head: false,
  kv_heads: undefined as number | undefined,
  value_dim_head: undefined as number | undefined,
  head_scale: false,
  data_dependent_alibi: false,
  // Without `data_dependent_alibi`, these two have no effect.
  data_dependent_alibi_per_row: false,
  data_dependent_alibi_per_row_dim_head: 8,
  use_cope: false,
  cope_max_pos: 16,
  cope_talking_heads: false,
  softclamp_logits: false,
  logit_softclamp_value: 50,
  laser: false,
  inverted_attention: false,
  orthog_projected_values: false,
  use_latent_q: false,
  dim_latent_q: undefined as number | undefined,
  use_latent_kv: false,
  dim_latent_kv: undefined as number | undefined,
};

export type AttentionAttributes = typeof attentionDefaults;

/** Inputs that a stack gives its attention layers. */
export type AttentionContext = {
  /** The sequence that keys and values come from. Default: x. */
  context?: Tensor | undefined;
  /** bool `[B, N]`: true for tokens that are not padding. */
  mask?: Tensor | undefined;
  bias?: Tensor | ScoreMod | undefined;
  /** Positions of queries and keys. Default: none. */
  rotate?: ((x: Tensor, side: "query" | "key") => Tensor) | undefined;
  /** Scores of an earlier layer. */
  earlierScores?: Tensor | undefined;
  /** Values of the first layer. */
  firstValues?: Tensor | undefined;
};

const softclamp = (x: Tensor, value: number) => mul(tanh(div(x, value)), value);

/** `x_transformers.Attention`: `[B, N, C]` to the output, its scores, and its unmodified values. */
export function attend(
  weights: Weights,
  attributes: AttentionAttributes,
  x: Tensor,
  { context, mask, bias, rotate = (x) => x, earlierScores, firstValues }: AttentionContext,
): { output: Tensor; scores: Tensor; values: Tensor } {
  const { heads: H, dim_head: D, num_mem_kv, add_zero_kv } = attributes;
  const kvHeads = attributes.one_kv_head ? 1 : (attributes.kv_heads ?? H);
  const [B, N] = x.shape as [number, number];
  const source = context ?? x;
  const queryInput = attributes.use_latent_q ? project(weights, "to_latent_q", x) : x;
  const keyInput = attributes.use_latent_kv ? project(weights, "to_latent_kv", source) : source;
  let query = splitHeads(project(weights, "to_q", queryInput), H);
  let key = splitHeads(project(weights, "to_k", keyInput), kvHeads);
  const values = splitHeads(project(weights, "to_v", keyInput), kvHeads);
  let value = values;

  if (firstValues) {
    value = valueResidual().mix(value, firstValues, project(weights, "to_value_residual_mix.0", x));
  }
  const normed = (x: Tensor, name: string) => {
    const own = weights(name);
    return own ? mul(unit(x, attributes.qk_norm_groups), own) : unit(x, attributes.qk_norm_groups);
  };
  if (attributes.qk_norm) {
    query = normed(query, "qk_norm_q_scale");
    key = normed(key, "qk_norm_k_scale");
  }
  if (attributes.qk_rmsnorm) {
    query = unitRms(query, weights("q_rmsnorm.gamma")!);
    key = unitRms(key, weights("k_rmsnorm.gamma")!);
  }
  if (attributes.value_rmsnorm) value = unitRms(value, weights("value_rmsnorm.gamma")!);
  query = rotate(query, "query");
  key = rotate(key, "key");

  const before = num_mem_kv + (add_zero_kv ? 1 : 0);
  if (num_mem_kv > 0) {
    const learned = { key: weights("mem_k")!, value: weights("mem_v")! };
    const own = { key: [key], value: [value], positions: { start: 0 } };
    const read = memoryKeys(num_mem_kv).prepend(learned, own, B);
    [key, value] = [read.key, read.value].map((parts) => concat(parts as Tensor[], 2)) as [Tensor, Tensor];
  }
  // Key-value heads are tiled, not repeated each.
  const tiled = (x: Tensor) => (kvHeads === H ? x : tile(x, [1, H / kvHeads, 1, 1]));
  [key, value] = [tiled(key), tiled(value)];
  if (add_zero_kv) [key, value] = [pad(key, 2, 1, 0), pad(value, 2, 1, 0)];
  if (attributes.laser) value = exp(softclamp(value, 15));

  const S = key.shape[2]!;
  const masks: Mask[] = [];
  if (attributes.causal) masks.push(causal());
  if (attributes.max_attend_past !== undefined) masks.push(slidingWindow(attributes.max_attend_past + 1));
  if (mask && !context) masks.push(maskTensor(reshape(mask, [B, 1, 1, S - before])));
  const options: PlainAttentionOptions = {
    ...(masks.length > 0 && { mask: and(...masks) }),
    scale: attributes.qk_norm && !attributes.qk_norm_dim_scale ? attributes.qk_norm_scale : D ** -0.5,
    ...(bias && { bias }),
    ...(attributes.data_dependent_alibi && { bias: forgetBias(weights, x) }),
    ...(attributes.softclamp_logits && { softcap: attributes.logit_softclamp_value }),
    ...(attributes.head_learned_sink && { sinks: weights("attend.head_attn_sink")! }),
    forms: [...(earlierScores ? [plusScores(earlierScores)] : []), ...formsOf(weights, attributes)],
  };
  const attended = plainAttention(query, key, value, options);
  let out = attended.output; // [B, H, N, Dv]
  if (attributes.laser) out = log(maximum(out, 1e-20));
  if (attributes.head_scale) out = mul(out, weights("head_scale_params")!);
  if (attributes.gate_value_heads)
    out = outputGate("headwise").apply(out, project(weights, "to_v_head_gate", x));
  const gates = [
    ...(attributes.gate_values ? [project(weights, "to_v_gate", x)] : []),
    ...(attributes.output_gate ? [project(weights, "to_output_gate", mergeHeads(out))] : []),
  ];
  if (gates.length > 0) {
    const kind = attributes.gate_values_headwise ? "headwise" : "elementwise";
    const activation = attributes.swiglu_values ? silu : sigmoid;
    out = outputGate(kind, { activation }).apply(
      out,
      gates.reduce((a, b) => add(a, b)),
    );
  }
  let rows = mergeHeads(out);
  if (attributes.orthog_projected_values) {
    // Complete sequences are projected, not rows.
    const flat = (x: Tensor) => reshape(x, [B, -1]);
    const direction = unit(flat(mergeHeads(values)));
    const along = mul(sum(mul(flat(rows), direction), { axis: 1, keepDims: true }), direction);
    rows = reshape(sub(flat(rows), along), rows.shape);
  }
  const projected = project(weights, "to_out", rows);
  const output = mask ? where(reshape(mask, [B, N, 1]), projected, 0) : projected;
  return { output, scores: attended.scores, values };
}

/** Forget gates computed from the tokens: the logarithm of a sigmoid. */
function forgetBias(weights: Weights, x: Tensor): ScoreMod {
  const gates = project(weights, "data_dependent_alibi.to_forget_gates.0", x); // [B, N, H]
  return forgetting(permute(neg(softplus(neg(gates))), [0, 2, 1]));
}

function formsOf(weights: Weights, attributes: AttentionAttributes): ScoreForm[] {
  const of = (name: string) => weights(`attend.${name}`)!;
  const mixture = (name: string) => of(`${name}.weight`);
  const table = () => of("cope.pos_emb");
  return [
    ...(attributes.l2_distance ? [l2Distance()] : []),
    ...(attributes.pre_scale_post_talking_heads
      ? [scoresScaleWeights(mixture("pre_scale_post_talking_heads"))]
      : []),
    ...(attributes.pre_talking_heads ? [addedTalkingHeads(mixture("pre_softmax_talking_heads"))] : []),
    ...(attributes.cog_signed ? [cogSigned()] : []),
    ...(attributes.use_cope
      ? [attributes.cope_talking_heads ? talkingCope(table(), mixture("cope.talking_heads")) : cope(table())]
      : []),
    ...(attributes.selective ? [selective()] : []),
    ...(attributes.sparse_topk === undefined ? [] : [topKScores(attributes.sparse_topk)]),
    ...(attributes.sigmoid ? [sigmoidWeights()] : []),
    ...(attributes.inverted_attention ? [inverted()] : []),
    ...(attributes.post_talking_heads ? [postTalkingHeads(mixture("post_softmax_talking_heads"))] : []),
  ];
}

/** `x_transformers.Attention`, one layer. */
export const attentionLayer = defineReferenceOp({
  name: "x_transformers.Attention",
  inputs: ["x"],
  optionalInputs: ["context", "mask"],
  moreInputs: /^param\./,
  attributes: attentionDefaults,
  run(inputs, attributes) {
    const weights = ((name) => (inputs as Record<string, Tensor>)[`param.${name}`]) as Weights;
    const { output } = attend(weights, attributes, inputs.x, {
      context: inputs.context,
      mask: inputs.mask,
    });
    return { output };
  },
});
