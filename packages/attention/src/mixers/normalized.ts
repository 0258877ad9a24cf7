import { add, concat, div, ones, slice } from "@qkv/tensor";
import type { Scan } from "./scan.js";

/**
 * A scan whose outputs are divided by the sum of their weights, plus `eps`. A column of ones beside the values makes the
 * sums, so the state has one more column: the sum of the keys.
 */
export function normalized(scan: Scan, eps: number): Scan {
  return (steps, initial) => {
    const { value } = steps;
    const { dtype, device } = value;
    const numChannels = value.shape[3]!;
    const column = ones([...value.shape.slice(0, 3), 1], { dtype, device });
    const { output, state } = scan({ ...steps, value: concat([value, column], 3) }, initial);
    return {
      output: div(slice(output, 3, 0, numChannels), add(slice(output, 3, numChannels), eps)),
      state,
    };
  };
}
