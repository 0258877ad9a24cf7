import { sizeOf, type View } from "@qkv/tensor";
import { float32Bits, withCall } from "../call.js";
import type { Engine } from "../engine.js";

type Rotation = { readonly layout: "half" | "interleaved"; readonly inverse: boolean };

/** Rotary positions over [B, H, T, D] of any strides. */
export function rotateKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { layout, inverse }: Rotation): boolean => {
    const x = inputs[0]!;
    const cos = inputs[1]!;
    const sin = inputs[2]!;
    if (x.dtype !== "float32" || sizeOf(x.shape) === 0) return false;
    const heads = x.shape[1]!;
    const length = x.shape[2]!;
    const dim = x.shape[3]!;
    const totalRows = sizeOf(x.shape) / dim;
    const rows = Math.max(1, Math.floor(32768 / dim));
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      const words = call.write([
        heads,
        length,
        dim,
        cos.shape.at(-1)!,
        layout === "interleaved" ? 1 : 0,
        float32Bits(inverse ? -1 : 1),
        pointers[0]!,
        x.strides[0]!,
        x.strides[1]!,
        x.strides[2]!,
        x.strides[3]!,
        pointers[1]!,
        batchStep(cos),
        cos.strides.at(-2)!,
        cos.strides.at(-1)!,
        pointers[2]!,
        batchStep(sin),
        sin.strides.at(-2)!,
        sin.strides.at(-1)!,
        pointers[3]!,
        rows,
        totalRows,
      ]);
      return engine.parallel("rotate", Math.ceil(totalRows / rows), 0, words);
    });
  };
}

/** Stride between the angles of two batches; 0 if all share them. */
function batchStep({ shape, strides }: View): number {
  return shape.length === 3 && shape[0] !== 1 ? strides[0]! : 0;
}
