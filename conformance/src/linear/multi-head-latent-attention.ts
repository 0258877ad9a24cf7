import { causal, latent, rope, yarn, type LatentParams } from "@qkv/attention";
import { growingCache } from "@qkv/kv-cache";
import { add, concat, mul, reshape, slice, type Tensor } from "@qkv/tensor";
import { checkKnown, defineReferenceOp } from "../reference-op.js";

type Yarn = {
  original_seq_len: number;
  max_seq_len: number;
  rope_factor: number;
  beta_fast: number;
  beta_slow: number;
  mscale: number;
};

/**
 * DeepSeek's module. Returns the mean of the naive and the absorbed form, so that an error in either fails. With
 * `decode_steps`, the last tokens are decoded one at a time after a prefill.
 */
export const multiHeadLatentAttention = defineReferenceOp({
  name: "multi_head_latent_attention",
  inputs: ["x", "param.wkv_a.weight", "param.kv_norm.weight", "param.wkv_b.weight", "param.wo.weight"],
  optionalInputs: ["param.wq.weight", "param.wq_a.weight", "param.q_norm.weight", "param.wq_b.weight"],
  attributes: {
    n_heads: 1,
    q_lora_rank: 0,
    kv_lora_rank: 1,
    qk_nope_head_dim: 1,
    qk_rope_head_dim: 2,
    v_head_dim: 1,
    rope_theta: 10000,
    rope: "interleaved pairs",
    norm_eps: 1e-6,
    prefill_tokens: 0,
    decode_steps: 0,
    yarn: undefined as Yarn | undefined,
  },
  run(inputs, attributes) {
    const { x } = inputs;
    const { n_heads: H, kv_lora_rank, qk_nope_head_dim: nope, qk_rope_head_dim, v_head_dim } = attributes;
    const { yarn: scaled, q_lora_rank, prefill_tokens, decode_steps } = attributes;
    const plain = 1 / Math.sqrt(nope + qk_rope_head_dim);
    const mscale = scaled ? 0.1 * scaled.mscale * Math.log(scaled.rope_factor) + 1 : 1;
    const layer = latent({
      embedDim: x.shape[2]!,
      numHeads: H,
      kvRank: kv_lora_rank,
      ...(q_lora_rank > 0 && { queryRank: q_lora_rank }),
      nopeDim: nope,
      ropeDim: qk_rope_head_dim,
      valueDim: v_head_dim,
      rope: rope({
        headDim: qk_rope_head_dim,
        base: attributes.rope_theta,
        layout: "interleaved",
        ...(scaled && {
          scaling: yarn({
            factor: scaled.rope_factor,
            originalLength: scaled.original_seq_len,
            betaFast: scaled.beta_fast,
            betaSlow: scaled.beta_slow,
            attentionFactor: 1, // applied to the softmax scale instead
          }),
        }),
      }),
      mask: causal(),
      scale: plain * mscale ** 2,
      eps: attributes.norm_eps,
    });
    // Rows of each head: first its keys, then its values.
    const both = reshape(inputs["param.wkv_b.weight"], [H, nope + v_head_dim, kv_lora_rank]);
    const rows = (from: number, to: number) => ({
      weight: reshape(slice(both, 1, from, to), [H * (to - from), kv_lora_rank]),
    });
    const weight = (name: keyof typeof inputs) => ({ weight: checkKnown(inputs[name], name) });
    const params: LatentParams = {
      ...(q_lora_rank > 0 && {
        queryDown: weight("param.wq_a.weight"),
        queryNorm: weight("param.q_norm.weight"),
      }),
      query: weight(q_lora_rank > 0 ? "param.wq_b.weight" : "param.wq.weight"),
      latent: weight("param.wkv_a.weight"),
      latentNorm: weight("param.kv_norm.weight"),
      key: rows(0, nope),
      value: rows(nope, nope + v_head_dim),
      output: weight("param.wo.weight"),
    };
    const outputs = [layer.naive, layer.absorbed].map((apply) => {
      if (decode_steps === 0) return apply(params, x);
      const cache = growingCache({ numLayers: 1 });
      const lengths = [prefill_tokens, ...Array.from({ length: decode_steps }, () => 1)];
      let start = 0;
      const parts = lengths.map((length): Tensor => {
        const part = slice(x, 1, start, (start += length));
        return apply(params, part, { cache });
      });
      return concat(parts, 1);
    });
    return { output: mul(add(outputs[0]!, outputs[1]!), 0.5) };
  },
});
