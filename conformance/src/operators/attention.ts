import { and, attention, causal, maskTensor, padding, tracedAttention } from "@qkv/attention";
import { concat, reshape, tensor, type Tensor } from "@qkv/tensor";
import type { Mask } from "@qkv/attention-contract";
import { defineOperator } from "../operator.js";
import { joinHeads, splitHeads } from "./heads.js";
import { windowMask } from "./window-mask.js";

/** Name of the trace that is returned as `qk_matmul_output`, by `qk_matmul_output_mode`. */
const outputModes = ["dots", "capped", "scores", "weights"] as const;

/** TensorProto's data types for `softmax_precision`. The softmax here is at least as precise. */
const precisions = { float32: 1, float16: 10, float64: 11, bfloat16: 16 };

/**
 * Attention, opsets 23 to 25. Query `i` has the position `offset + i`, where `offset` is the length of the past, or without a
 * past `nonpad_kv_seqlen - T` of its batch element, or 0. The causal mask and the window use these positions.
 */
export const attentionOperator = defineOperator({
  name: "Attention",
  inputs: ["Q", "K", "V"],
  optionalInputs: ["attn_mask", "past_key", "past_value", "nonpad_kv_seqlen"],
  attributes: {
    is_causal: 0,
    kv_num_heads: 0,
    q_num_heads: 0,
    qk_matmul_output_mode: 0,
    scale: undefined as number | undefined,
    softcap: 0,
    softmax_precision: undefined as number | undefined,
    left_window_size: -1,
    right_window_size: -1,
  },
  async run({ inputs, attributes, device, wanted }) {
    const { Q, K, V, attn_mask, past_key, past_value, nonpad_kv_seqlen } = inputs;
    const { is_causal, kv_num_heads, q_num_heads, scale, softcap, softmax_precision } = attributes;
    if (softmax_precision !== undefined && !Object.values(precisions).includes(softmax_precision)) {
      throw new Error(`softmax_precision is ${softmax_precision}, expected the number of a float type`);
    }
    if (!past_key !== !past_value) throw new Error("past_key and past_value come together");

    const query = splitHeads(Q, q_num_heads, "q_num_heads");
    const newKey = splitHeads(K, kv_num_heads, "kv_num_heads");
    const newValue = splitHeads(V, kv_num_heads, "kv_num_heads");
    const key = past_key ? concat([past_key, newKey], 2) : newKey;
    const value = past_value ? concat([past_value, newValue], 2) : newValue;

    const queryLength = query.shape[2]!;
    const keyLength = key.shape[2]!;
    const lengths = nonpad_kv_seqlen && [...(await nonpad_kv_seqlen.read())];
    const offset = past_key?.shape[2] ?? lengths?.map((length) => length - queryLength) ?? 0;

    const masks: Mask[] = [];
    if (is_causal) masks.push(causal({ offset }));
    if (lengths) masks.push(padding(lengths));
    const { left_window_size: left, right_window_size: right } = attributes;
    if (left >= 0 || right >= 0) {
      masks.push(windowMask({ left, right, offset, queryLength, keyLength, device }));
    }
    const paddedMask = attn_mask && padMask(attn_mask, keyLength);
    if (paddedMask?.dtype === "bool") masks.push(maskTensor(paddedMask));

    const options = {
      ...(masks.length > 0 ? { mask: and(...masks) } : {}),
      ...(paddedMask && paddedMask.dtype !== "bool" ? { bias: paddedMask } : {}),
      ...(scale !== undefined ? { scale } : {}),
      ...(softcap > 0 ? { softcap } : {}),
    };
    if (!wanted[3]) return [joinHeads(attention(query, key, value, options), Q), key, value];
    const mode = outputModes[attributes.qk_matmul_output_mode];
    if (!mode)
      throw new Error(`qk_matmul_output_mode is ${attributes.qk_matmul_output_mode}, expected 0 to 3`);
    const traced = tracedAttention(query, key, value, options, [mode]);
    return [joinHeads(traced.output, Q), key, value, traced[mode]];
  },
});

/** Reshapes a mask to four axes, and masks keys beyond its last column: false, or -∞ in an additive mask. */
function padMask(mask: Tensor, keyLength: number): Tensor {
  const shape = [...Array<number>(4 - mask.shape.length).fill(1), ...mask.shape];
  const fourAxes = reshape(mask, shape);
  const missing = keyLength - shape[3]!;
  if (missing <= 0) return fourAxes;
  const size = shape[0]! * shape[1]! * shape[2]! * missing;
  const { dtype, device } = mask;
  const filler = tensor(new Float64Array(size).fill(dtype === "bool" ? 0 : -Infinity), {
    shape: [...shape.slice(0, 3), missing],
    dtype,
    device,
  });
  return concat([fourAxes, filler], 3);
}
