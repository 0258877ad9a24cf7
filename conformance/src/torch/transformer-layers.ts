import { and, crossAttention, maskTensor, multiHead } from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import { add, logicalNot, reshape, transpose, type Tensor } from "@qkv/tensor";
import {
  feedForward,
  fromTorchAttention,
  norm,
  transformerLayer,
  type TransformerLayerParams,
  type FeedForwardParams,
} from "@qkv/transformer";
import { defineReferenceOp, type Named } from "../reference-op.js";

/** Attributes that both layers share, with PyTorch's defaults. */
const attributes = {
  d_model: 0,
  nhead: 1,
  dim_feedforward: 2048,
  activation: "relu",
  norm_first: false,
  layer_norm_eps: 1e-5,
  batch_first: false,
  bias: true,
  dropout: 0,
};

const blockNames = (attention: string) =>
  ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"].map(
    (name) => `param.${attention}.${name}`,
  );
const affine = (layers: readonly string[]) =>
  layers.flatMap((layer) => [`param.${layer}.weight`, `param.${layer}.bias`]);

/** `torch.nn.TransformerEncoderLayer` in eval mode. True in a mask means "ignore". */
export const transformerEncoderLayer = defineReferenceOp({
  name: "nn.TransformerEncoderLayer",
  inputs: ["src"],
  optionalInputs: [
    "src_mask",
    "src_key_padding_mask",
    ...blockNames("self_attn"),
    ...affine(["linear1", "linear2", "norm1", "norm2"]),
  ],
  // In the data, the last one describes an input.
  attributes: { ...attributes, is_causal: undefined as unknown },
  run(inputs, config) {
    const { src } = inputs;
    const { batched, asGiven } = layout(src, config.batch_first);
    const x = batched(src);
    const layer = layerOf(config);
    const hidden = hiddenKeys([inputs["src_mask"], inputs["src_key_padding_mask"]], x, x, config.nhead);
    return { output: asGiven(layer.apply(paramsOf(inputs, false), x, hidden)) };
  },
});

/** `torch.nn.TransformerDecoderLayer` in eval mode. True in a mask means "ignore". */
export const transformerDecoderLayer = defineReferenceOp({
  name: "nn.TransformerDecoderLayer",
  inputs: ["tgt", "memory"],
  optionalInputs: [
    "tgt_mask",
    "memory_mask",
    "tgt_key_padding_mask",
    "memory_key_padding_mask",
    ...blockNames("self_attn"),
    ...blockNames("multihead_attn"),
    ...affine(["linear1", "linear2", "norm1", "norm2", "norm3"]),
  ],
  attributes: { ...attributes, tgt_is_causal: undefined as unknown, memory_is_causal: undefined as unknown },
  run(inputs, config) {
    const { tgt } = inputs;
    const { batched, asGiven } = layout(tgt, config.batch_first);
    const [x, memory] = [batched(tgt), batched(inputs.memory)];
    const own = hiddenKeys([inputs["tgt_mask"], inputs["tgt_key_padding_mask"]], x, x, config.nhead);
    const other = hiddenKeys(
      [inputs["memory_mask"], inputs["memory_key_padding_mask"]],
      x,
      memory,
      config.nhead,
    );
    const output = layerOf(config, true).apply(paramsOf(inputs, true), x, {
      ...own,
      memory,
      ...(other.mask && { memoryMask: other.mask }),
      ...(other.bias && { memoryBias: other.bias }),
    });
    return { output: asGiven(output) };
  },
});

function layerOf(config: typeof attributes, crosses = false) {
  const { d_model: embedDim, nhead: numHeads, activation } = config;
  if (activation !== "relu" && activation !== "gelu")
    throw new Error(`the activation ${activation} is not known`);
  return transformerLayer({
    attention: multiHead({ embedDim, numHeads }),
    ...(crosses && { crossAttention: crossAttention({ embedDim, numHeads }) }),
    feedForward: feedForward({ embedDim, hiddenDim: config.dim_feedforward, activation, gated: false }),
    norm: norm({ kind: "layer", embedDim, eps: config.layer_norm_eps }),
    placement: config.norm_first ? "pre" : "post",
  });
}

function paramsOf(
  inputs: Readonly<Record<string, Tensor | undefined>>,
  crosses: boolean,
): TransformerLayerParams<FeedForwardParams> {
  const named = Object.fromEntries(
    Object.entries(inputs).flatMap(([name, x]) =>
      x && name.startsWith("param.") ? [[name.slice(6), x]] : [],
    ),
  ) as Named;
  const of = (name: string) => {
    const [weight, bias] = [named[`${name}.weight`], named[`${name}.bias`]];
    if (!weight) throw new Error(`there is no input \`param.${name}.weight\``);
    return { weight, ...(bias && { bias }) };
  };
  return {
    attentionNorm: of("norm1"),
    attention: fromTorchAttention(named, "self_attn."),
    ...(crosses && {
      crossAttentionNorm: of("norm2"),
      crossAttention: fromTorchAttention(named, "multihead_attn."),
    }),
    feedForwardNorm: of(crosses ? "norm3" : "norm2"),
    feedForward: { up: of("linear1"), down: of("linear2") },
  };
}

/**
 * Transposes to [B, T, C], and back: PyTorch has [T, B, C], with `batch_first` [B, T, C], and [T, C] without a batch.
 */
function layout(x: Tensor, batchFirst: boolean) {
  const alone = x.shape.length === 2;
  return {
    batched: (x: Tensor) => (alone ? reshape(x, [1, ...x.shape]) : batchFirst ? x : transpose(x, 0, 1)),
    asGiven: (x: Tensor) => (alone ? reshape(x, x.shape.slice(1)) : batchFirst ? x : transpose(x, 0, 1)),
  };
}

/** PyTorch's masks, bool ones that mask keys or float ones that are added, as ours. */
function hiddenKeys(
  [between, padding]: readonly (Tensor | undefined)[],
  query: Tensor,
  key: Tensor,
  H: number,
): { mask?: Mask; bias?: Tensor } {
  const [B, T, S] = [query.shape[0]!, query.shape[1]!, key.shape[1]!];
  const both = [
    between && (between.shape.length === 3 ? reshape(between, [B, H, T, S]) : between),
    padding && reshape(padding, [B, 1, 1, S]),
  ].filter((x) => x !== undefined);
  const masks = both.filter(({ dtype }) => dtype === "bool").map((x) => maskTensor(logicalNot(x)));
  const added = both.filter(({ dtype }) => dtype !== "bool");
  return {
    ...(masks.length > 0 && { mask: and(...masks) }),
    ...(added.length > 0 && { bias: added.reduce((a, b) => add(a, b)) }),
  };
}
