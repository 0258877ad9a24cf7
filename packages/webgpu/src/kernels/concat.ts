import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { copyInto } from "./copy-into.js";

/** Concatenates tensors along an axis. */
export function concatKernel(context: Context) {
  return (
    inputs: readonly View[],
    [output]: readonly View[],
    { axis }: { readonly axis: number },
  ): boolean => {
    if (output!.dtype === "float64") return false;
    const buffer = context.store.write(output!);
    let offset = 0;
    for (const input of inputs) {
      copyInto(context, "concat", input, buffer, { strides: output!.strides, offset });
      offset += input.shape[axis]! * output!.strides[axis]!;
    }
    return true;
  };
}
