import { and, attention, causal, maskTensor, tracedAttention } from "@qkv/attention";
import {
  add,
  linear,
  logicalNot,
  permute,
  reshape,
  slice,
  transpose,
  type Mask,
  type Tensor,
} from "@qkv/tensor";
import { defineTorchOp, type TorchOp } from "./torch-case.js";

/** PyTorch's attention: the function, where true in a mask means "take part", and the module, where it means "ignore". */
export const torchAttention: readonly TorchOp[] = [
  defineTorchOp({
    name: "scaled_dot_product_attention",
    inputs: ["query", "key", "value"],
    optionalInputs: ["attn_mask"],
    attributes: { is_causal: false, enable_gqa: false, scale: undefined as number | undefined },
    run({ query, key, value, attn_mask }, { is_causal, enable_gqa, scale }) {
      if (!enable_gqa && query.shape[1] !== key.shape[1])
        throw new Error("enable_gqa is off, and heads differ");
      const masks: Mask[] = is_causal ? [causal({ align: "top-left" })] : [];
      if (attn_mask?.dtype === "bool") masks.push(maskTensor(attn_mask));
      const options = {
        ...(masks.length > 0 && { mask: and(...masks) }),
        ...(attn_mask && attn_mask.dtype !== "bool" && { bias: attn_mask }),
        ...(scale !== undefined && { scale }),
      };
      return { output: attention(query, key, value, options) };
    },
  }),
  defineTorchOp({
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
      // In the data these say what an input means.
      need_weights: undefined as unknown,
      attn_mask: undefined as unknown,
      key_padding_mask: undefined as unknown,
    },
    run(inputs, { embed_dim: C, num_heads: H, batch_first }) {
      const batched = (x: Tensor) => (batch_first ? x : transpose(x, 0, 1)); // [B, T, C]
      const given = (name: "query" | "key" | "value") => batched(demand(inputs[name] ?? inputs.x, name));
      const [query, key, value] = [given("query"), given("key"), given("value")];
      const fused = inputs["param.in_proj_weight"];
      const bias = inputs["param.in_proj_bias"];
      const project = (x: Tensor, n: number, own: Tensor | undefined): Tensor => {
        const weight = own ?? slice(demand(fused, "param.in_proj_weight"), 0, n * C, (n + 1) * C);
        const y = linear(x, weight, bias && slice(bias, 0, n * C, (n + 1) * C));
        return permute(reshape(y, [y.shape[0]!, y.shape[1]!, H, C / H]), [0, 2, 1, 3]); // [B, H, T, D]
      };
      const q = project(query, 0, inputs["param.q_proj_weight"]);
      const k = project(key, 1, inputs["param.k_proj_weight"]);
      const v = project(value, 2, inputs["param.v_proj_weight"]);
      const [B, , T, S] = [q.shape[0]!, H, q.shape[2]!, k.shape[2]!];

      const padding = inputs.key_padding_mask && reshape(inputs.key_padding_mask, [B, 1, 1, S]);
      const seen =
        inputs.attn_mask &&
        (inputs.attn_mask.shape.length === 3 ? reshape(inputs.attn_mask, [B, H, T, S]) : inputs.attn_mask);
      const both = [padding, seen].filter((mask) => mask !== undefined);
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
      return { output: batched(y), _weights: weights };
    },
  }),
];

function demand(x: Tensor | undefined, name: string): Tensor {
  if (x) return x;
  throw new Error(`nn.MultiheadAttention has no input \`${name}\``);
}
