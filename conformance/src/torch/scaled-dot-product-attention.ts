import { and, attention, causal, maskTensor } from "@qkv/attention";
import type { Mask } from "@qkv/attention-contract";
import { broadcastShapes, broadcastTo, reshape, sizeOf, type Shape, type Tensor } from "@qkv/tensor";
import { defineReferenceOp } from "../reference-op.js";

/**
 * `torch.nn.functional.scaled_dot_product_attention`, where true in a mask means "take part". Queries, keys and
 * values are `[…, T, D]`; the axes before are heads, then batches, and broadcast.
 */
export const scaledDotProductAttention = defineReferenceOp({
  name: "scaled_dot_product_attention",
  inputs: ["query", "key", "value"],
  optionalInputs: ["attn_mask"],
  attributes: { is_causal: false, enable_gqa: false, scale: undefined as number | undefined, dropout_p: 0 },
  run({ query, key, value, attn_mask }, { is_causal, enable_gqa, scale, dropout_p }) {
    if (dropout_p !== 0) throw new Error(`dropout_p is ${dropout_p}: what chance drops cannot be compared`);
    const all = [query, key, value];
    const batch = joint(all.map(({ shape }) => shape.slice(0, -3)));
    /** No axis, or the head axis. */
    const heads = enable_gqa ? query.shape.slice(-3, -2) : joint(all.map(({ shape }) => shape.slice(-3, -2)));
    /** Reshapes any number of leading axes to [B, H, T, D]. */
    const fold = (x: Tensor): Tensor =>
      folded(x, batch, [(enable_gqa ? x.shape.at(-3) : heads[0]) ?? 1, ...x.shape.slice(-2)]);
    const [q, k, v] = [fold(query), fold(key), fold(value)];
    const pairs = [heads[0] ?? 1, q.shape[2]!, k.shape[2]!];
    const seen = attn_mask && (batch.length > 1 ? folded(attn_mask, batch, pairs) : attn_mask);

    const masks: Mask[] = is_causal ? [causal({ align: "top-left" })] : [];
    if (seen?.dtype === "bool") masks.push(maskTensor(seen));
    const options = {
      ...(masks.length > 0 && { mask: and(...masks) }),
      ...(seen && seen.dtype !== "bool" && { bias: seen }),
      ...(scale !== undefined && { scale }),
    };
    const output = attention(q, k, v, options);
    return { output: reshape(output, [...batch, ...heads, ...output.shape.slice(2)]) };
  },
});

const joint = (shapes: readonly Shape[]): Shape =>
  shapes.reduce((a, b) => broadcastShapes("scaled_dot_product_attention", a, b));

/** Broadcasts to the batch axes and the last three axes, and merges the batch axes. */
const folded = (x: Tensor, batch: Shape, rest: Shape): Tensor => {
  const whole = [...batch, ...rest];
  const same = x.shape.length === whole.length && x.shape.every((length, axis) => length === whole[axis]);
  return reshape(same ? x : broadcastTo(x, whole), [sizeOf(batch), ...rest]);
};
