import type { View } from "@qkv/tensor";
import { bitsOf, withCall } from "../call.js";
import type { Engine } from "../engine.js";

type Turn = { readonly layout: "half" | "interleaved"; readonly inverse: boolean };

/** Rotary positions over [B, H, T, D] of any strides. */
export function rotateKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { layout, inverse }: Turn): boolean => {
    const [x, cos, sin] = inputs as [View, View, View];
    const [B, H, T, D] = x.shape as [number, number, number, number];
    if (x.dtype !== "float32" || B * H * T * D === 0) return false;
    return withCall(engine, (call) => {
      const [from, c, s, to] = call.place(inputs, outputs) as [number, number, number, number];
      const rows = Math.max(1, Math.floor(32768 / D));
      const words = [H, T, D, cos.shape.at(-1)!, layout === "interleaved" ? 1 : 0, bitsOf(inverse ? -1 : 1)];
      words.push(from, ...x.strides, c, ...steps(cos), s, ...steps(sin), to, rows, B * H * T);
      return engine.parallel("rotate", Math.ceil((B * H * T) / rows), 0, call.write(words));
    });
  };
}

/** From one batch, one place and one angle to the next. */
function steps({ shape, strides }: View): number[] {
  return [shape.length === 3 && shape[0] !== 1 ? strides[0]! : 0, strides.at(-2)!, strides.at(-1)!];
}
