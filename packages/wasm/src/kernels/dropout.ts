import { sizeOf, type View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import { isContiguousView } from "./contiguous-view.js";

/** Numbers per work item. */
const step = 8192;

type Attributes = { readonly rate: number; readonly key: readonly [number, number] };

/** Inverted dropout of contiguous numbers. It drops the same ones as the plain device. */
export function dropoutKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { rate, key }: Attributes): boolean => {
    const [x] = inputs as [View];
    const n = sizeOf(x.shape);
    if (!isContiguousView(x) || n === 0) return false;
    // (number + ½) / 2⁵² < rate, in integers.
    const bound = Math.ceil(rate * 2 ** 52 - 0.5);
    const words = [key[0], key[1], Math.floor(bound / 2 ** 20), bound % 2 ** 20].map((word) => word | 0);
    return withCall(engine, (call) => {
      const [from, to] = call.addresses(inputs, outputs) as [number, number];
      const scratch = engine.exports["dropoutScratch"]!();
      return engine.parallel(
        "dropout",
        Math.ceil(n / step),
        scratch,
        from,
        to,
        n,
        step,
        ...words,
        1 / (1 - rate),
      );
    });
  };
}
