import { add, concat, exp, slice, softplus, sub, type Tensor } from "@qkv/tensor";
import {
  attendToSlots,
  slotChunkSize,
  slotStateAxes,
  type SlotOptions,
  type SlotState,
} from "./gated-slot-attention.js";
import { queryKeyValue } from "./mixer.js";
import type { OwnFormMixer } from "./own-form-mixer.js";

/** The slots, and the log of the sum of each slot's weights so far. */
export type AbcState = SlotState & {
  /** `[B, H, 1, M]` */
  readonly logSum: Tensor;
};

/**
 * Attention with bounded-memory control: each of M slots holds the average of all keys so far, and of all values, with
 * weights `softmax over tokens` of the slot's logits; a query attends to the slots. It is {@link gatedSlotAttention}
 * whose decays and writes are those of a running softmax.
 *
 * Inputs of {@link mix}: query and key `[B, H, T, K]`, value `[B, H, T, V]`; `slotLogits` `[B, H, T, M]`, the logit of each
 * token for each slot.
 *
 * @throws {ArgumentError} If an option has an invalid value.
 * @see "ABC: Attention with Bounded-memory Control" (2021), arXiv:2110.02488
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { abc, mix } from "@qkv/attention";
 *
 * const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, K]
 * const slotLogits = randn([1, 2, 6, 3], { seed: 2 }); // [B, H, T, M]: three slots
 * mix(abc(), { query: x, key: x, value: x, slotLogits }).output.shape; // => [1, 2, 6, 4]
 * ```
 */
export function abc(
  options?: SlotOptions,
): OwnFormMixer<"query" | "key" | "value" | "slotLogits", never, AbcState> {
  const chunkSize = slotChunkSize("abc", options);
  return {
    name: "abc()",
    inputs: { ...queryKeyValue, slotLogits: "B H T M" },
    optional: {},
    stateAxes: { ...slotStateAxes, logSum: "B H 1 M" },
    scale: ({ keyDim }) => 1 / Math.sqrt(keyDim),
    ownForm({ inputs, initialState }) {
      const { slotLogits, ...others } = inputs;
      const logSums = runningLogSumExp(slotLogits, initialState?.logSum);
      // Before the first token there is nothing to decay: any decay will do.
      const before = initialState?.logSum ?? slice(logSums, 2, 0, 1);
      const decay = sub(concat([before, slice(logSums, 2, 0, slotLogits.shape[2]! - 1)], 2), logSums);
      const write = exp(sub(slotLogits, logSums));
      const { output, state } = attendToSlots({ ...others, write, decay }, initialState, chunkSize);
      return { output, state: { ...state, logSum: slice(logSums, 2, -1) } };
    },
  };
}

/** `log Σ_{j≤t} exp(x_j)` along axis 2, by sums over 1, 2, 4, … tokens. */
function runningLogSumExp(x: Tensor, before: Tensor | undefined): Tensor {
  let sums = before ? concat([before, x], 2) : x;
  const length = sums.shape[2]!;
  for (let shift = 1; shift < length; shift *= 2) {
    const [earlier, later] = [slice(sums, 2, 0, length - shift), slice(sums, 2, shift)];
    sums = concat([slice(sums, 2, 0, shift), add(earlier, softplus(sub(later, earlier)))], 2);
  }
  return before ? slice(sums, 2, 1) : sums;
}
