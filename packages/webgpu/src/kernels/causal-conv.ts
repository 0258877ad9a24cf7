import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { map } from "./map.js";
import { viewAs } from "./contiguous.js";

/** out[b, c, t] = bias[c] + Σₖ weight[c, 0, k] · padded[b, c, t + k], with taps or times reversed on request. */
export function causalConvKernel(context: Context) {
  return (
    [padded, weight, bias]: readonly View[],
    [output]: readonly View[],
    { taps, times }: { taps: boolean; times: boolean },
  ): boolean => {
    if (output!.dtype !== "float32") return false;
    const { shape } = output!;
    const K = weight!.shape[2]!;
    const [db, dc, dt] = padded!.strides as [number, number, number];
    const [wc, , wk] = weight!.strides as [number, number, number];
    // Reversed axes have negative strides, from the last index on.
    const x = viewAs(padded!, {
      shape,
      strides: [db, dc, times ? -dt : dt],
      offset: padded!.offset + (times ? (shape[2]! - 1) * dt : 0),
    });
    const w = viewAs(weight!, {
      shape,
      strides: [0, wc, 0],
      offset: weight!.offset + (taps ? (K - 1) * wk : 0),
    });
    const b = bias && viewAs(bias, { shape, strides: [0, bias.strides[0]!, 0] });
    return map(context, "causalConv", [x, w, ...(b ? [b] : [])], output!, {
      body: `var sum = ${b ? "c" : "0.0"};
  for (var k = 0; k < p.K; k++) { sum += bElement(bAt + k * p.tap) * aElement(aAt + k * p.time); }
  return sum;`,
      bodyReads: new Set([0, 1]),
      params: (params) =>
        params
          .i32("K", K)
          .i32("tap", taps ? -wk : wk)
          .i32("time", dt),
    });
  };
}
