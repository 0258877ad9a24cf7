import { checks } from "@qkv/core";
import {
  add,
  concat,
  cumsum,
  exp,
  expandDims,
  matmul,
  mul,
  slice,
  softmax,
  squeeze,
  sum,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { blockRanges } from "./block-ranges.js";
import { queryKeyValue } from "./mixer.js";
import type { OwnFormMixer } from "./own-form-mixer.js";
import { pairwiseDecay } from "./pairwise-decay.js";
import { zerosLike } from "./zeros-like.js";

/** M slots, each a key and a value. */
export type SlotState = {
  /** `[B, H, K, M]` */
  readonly slotKeys: Tensor;
  /** `[B, H, M, V]` */
  readonly slotValues: Tensor;
};

export type SlotOptions = {
  /** Tokens that are computed at once; changes no number but by rounding. Default 16. */
  chunkSize?: number;
};

/**
 * Gated slot attention: softmax attention over M slots in place of all tokens. Each token fades every slot's key and
 * value by the slot's decay and adds its own, `k̃ₘ ← αₘ k̃ₘ + wₘ k`, `ṽₘ ← αₘ ṽₘ + wₘ v`; a query attends to the slots.
 *
 * Inputs of {@link mix}: query and key `[B, H, T, K]`, value `[B, H, T, V]`; `decay`, natural logarithms, at most 0, and
 * `write`, the weight of the token in each slot (`1 − exp(decay)` in the paper), both `[B, H, T, M]`.
 *
 * @throws {ArgumentError} If an option has an invalid value.
 * @see "Gated Slot Attention for Efficient Linear-Time Sequence Modeling" (2024), arXiv:2409.07146
 *
 * @example
 * ```ts
 * import { exp, full, randn, sub } from "@qkv/tensor";
 * import { gatedSlotAttention, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const decay = full([1, 2, 6, 3], -0.5); // [B, H, T, M]: three slots
 * const inputs = { query: x, key: x, value: x, write: sub(1, exp(decay)), decay };
 * const { output, state } = mix(gatedSlotAttention(), inputs);
 * [output.shape, state.slotKeys.shape]; // => [[1, 2, 6, 4], [1, 2, 4, 3]]
 * ```
 */
export function gatedSlotAttention(
  options?: SlotOptions,
): OwnFormMixer<"query" | "key" | "value" | "write" | "decay", never, SlotState> {
  const chunkSize = slotChunkSize("gatedSlotAttention", options);
  return {
    name: "gatedSlotAttention()",
    inputs: { ...queryKeyValue, write: "B H T M", decay: "B H T M" },
    optional: {},
    stateAxes: slotStateAxes,
    scale: ({ keyDim }) => 1 / Math.sqrt(keyDim),
    ownForm: ({ inputs, initialState }) => attendToSlots(inputs, initialState, chunkSize),
  };
}

export const slotStateAxes = { slotKeys: "B H K M", slotValues: "B H M V" };

export function slotChunkSize(fn: string, options: SlotOptions | undefined): number {
  const check = checks(fn);
  const { chunkSize = 16 } = check.options(options, ["chunkSize"]);
  check.whole({ chunkSize }, { min: 1, unit: "tokens" });
  return chunkSize;
}

/**
 * Writes all tokens to the slots, and lets each query attend to them as they are after its own token. The query is
 * scaled.
 */
export function attendToSlots(
  { query, key, value, write, decay }: Record<"query" | "key" | "value" | "write" | "decay", Tensor>,
  initialState: SlotState | undefined,
  chunkSize: number,
): { output: Tensor; state: SlotState } {
  const [B, H, T, K] = query.shape as [number, number, number, number];
  const M = write.shape[3]!;
  let slotKeys = initialState?.slotKeys ?? zerosLike(query, [B, H, K, M]);
  let slotValues = initialState?.slotValues ?? zerosLike(query, [B, H, M, value.shape[3]!]);
  const outputs = blockRanges(T, chunkSize).map(([start, end]) => {
    const part = (x: Tensor) => slice(x, 2, start, end);
    const [q, k, v, g] = [part(query), part(key), part(value), part(decay)];
    const since = exp(cumsum(g, 2)); // [B, H, C, M]
    // [B, H, M, C, C]: the weight that token j has in slot m when token i reads.
    const weight = mul(pairwiseDecay(g), expandDims(transpose(part(write)), -2));
    const dots = expandDims(matmul(q, transpose(k)), 2); // [B, H, 1, C, C]
    const within = transpose(sum(mul(dots, weight), { axis: -1 }));
    const slots = softmax(add(within, mul(matmul(q, slotKeys), since))); // [B, H, C, M]
    const tokens = sum(mul(expandDims(transpose(slots), -1), weight), { axis: 2 }); // [B, H, C, C]
    const output = add(matmul(tokens, v), matmul(mul(slots, since), slotValues));
    const last = squeeze(slice(weight, 3, -1), 3); // [B, H, M, C]
    const total = slice(since, 2, -1); // [B, H, 1, M]
    slotKeys = add(mul(slotKeys, total), transpose(matmul(last, k)));
    slotValues = add(mul(slotValues, transpose(total)), matmul(last, v));
    return output;
  });
  return { output: concat(outputs, 2), state: { slotKeys, slotValues } };
}
