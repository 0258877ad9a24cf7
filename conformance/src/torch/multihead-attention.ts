import { and, maskTensor, tracedAttention } from "@qkv/attention";
import {
  add,
  broadcastTo,
  concat,
  linear,
  logicalNot,
  mean,
  pad,
  permute,
  reshape,
  slice,
  transpose,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { defineReferenceOp } from "../reference-op.js";

/**
 * `torch.nn.MultiheadAttention` in eval mode, where true in a mask means "ignore". Inputs are
 * [T, B, C], with `batch_first` [B, T, C], or without a batch [T, C].
 */
export const multiheadAttention = defineReferenceOp({
  name: "nn.MultiheadAttention",
  optionalInputs: [
    "x",
    "query",
    "key",
    "value",
    "attn_mask",
    "key_padding_mask",
    "param.in_proj_weight",
    "param.q_proj_weight",
    "param.k_proj_weight",
    "param.v_proj_weight",
    "param.in_proj_bias",
    "param.bias_k",
    "param.bias_v",
    "param.out_proj.weight",
    "param.out_proj.bias",
  ],
  inputs: [],
  attributes: {
    embed_dim: 0,
    num_heads: 1,
    bias: true,
    kdim: undefined as number | undefined,
    vdim: undefined as number | undefined,
    batch_first: false,
    add_bias_kv: false,
    add_zero_attn: false,
    // The data has weights per head, unless a case has PyTorch's mean of them.
    average_attn_weights: false,
    dropout: 0,
    // In the data, these describe inputs.
    need_weights: undefined as unknown,
    attn_mask: undefined as unknown,
    key_padding_mask: undefined as unknown,
    is_causal: undefined as unknown,
  },
  run(inputs, { embed_dim: C, num_heads: H, batch_first, add_zero_attn, average_attn_weights }) {
    const given = (name: "query" | "key" | "value") => demand(inputs[name] ?? inputs.x, name);
    const alone = given("query").shape.length === 2;
    /** Transposes to [B, T, C], and back. */
    const batched = (x: Tensor) =>
      alone ? reshape(x, [1, ...x.shape]) : batch_first ? x : transpose(x, 0, 1);
    const asGiven = (x: Tensor) =>
      alone ? reshape(x, x.shape.slice(1)) : batch_first ? x : transpose(x, 0, 1);

    const split = (x: Tensor) => permute(reshape(x, [x.shape[0]!, x.shape[1]!, H, C / H]), [0, 2, 1, 3]); // [B, H, T, D]
    const fused = inputs["param.in_proj_weight"];
    const bias = inputs["param.in_proj_bias"];
    const project = (x: Tensor, n: number, own: Tensor | undefined): Tensor => {
      const weight = own ?? slice(demand(fused, "param.in_proj_weight"), 0, n * C, (n + 1) * C);
      return split(linear(batched(x), weight, bias && slice(bias, 0, n * C, (n + 1) * C)));
    };
    const q = project(given("query"), 0, inputs["param.q_proj_weight"]);
    /** Keys or values, then the learned one (`bias_k`, `bias_v`), then one of zeros, which are never masked. */
    const extended = (x: Tensor, learned: Tensor | undefined): Tensor => {
      const one = [x.shape[0]!, H, 1, C / H];
      const more = [
        ...(learned ? [broadcastTo(split(learned), one)] : []),
        ...(add_zero_attn ? [zeros(one, { dtype: x.dtype, device: x.device })] : []),
      ];
      return more.length > 0 ? concat([x, ...more], 2) : x;
    };
    const newKey = project(given("key"), 1, inputs["param.k_proj_weight"]);
    const k = extended(newKey, inputs["param.bias_k"]);
    const v = extended(project(given("value"), 2, inputs["param.v_proj_weight"]), inputs["param.bias_v"]);
    const [B, T, S] = [q.shape[0]!, q.shape[2]!, newKey.shape[2]!];

    const { key_padding_mask: padding, attn_mask: hidden } = inputs;
    const both = [
      padding && reshape(padding, [B, 1, 1, S]),
      hidden?.shape.length === 3 ? reshape(hidden, [B, H, T, S]) : hidden,
    ]
      .filter((mask) => mask !== undefined)
      .map((mask) => (k.shape[2] === S ? mask : pad(mask, -1, 0, k.shape[2]! - S)));
    const masks = both.filter(({ dtype }) => dtype === "bool").map((mask) => maskTensor(logicalNot(mask)));
    const added = both.filter(({ dtype }) => dtype !== "bool");
    const options = {
      ...(masks.length > 0 && { mask: and(...masks) }),
      ...(added.length > 0 && { bias: added.reduce((a, b) => add(a, b)) }),
    };
    const { output, weights } = tracedAttention(q, k, v, options, ["weights"]);
    const joined = reshape(permute(output, [0, 2, 1, 3]), [B, T, C]);
    const y = linear(
      joined,
      demand(inputs["param.out_proj.weight"], "param.out_proj.weight"),
      inputs["param.out_proj.bias"],
    );
    const shown = average_attn_weights ? mean(weights, { axis: 1 }) : weights;
    return { output: asGiven(y), _weights: alone ? reshape(shown, shown.shape.slice(1)) : shown };
  },
});

function demand(x: Tensor | undefined, name: string): Tensor {
  if (x) return x;
  throw new Error(`nn.MultiheadAttention has no input \`${name}\``);
}
