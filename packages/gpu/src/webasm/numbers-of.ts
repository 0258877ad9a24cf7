import { copyPacked, isContiguous, sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Store } from "../store.js";
import type { Numbers, Run, Scalars } from "./scalars.js";

/** What kernels run on: the compiler, and where tensors are. */
export type Wasm = { readonly scalars: Scalars; readonly store: Store<Numbers> };

/** The numbers of a tensor in row-major order. */
export function inOrder({ store }: Wasm, view: View): Float32Array {
  const { numbers } = store.bufferOf(view);
  const { shape, strides, offset } = view;
  if (!isContiguous([...shape], [...strides]))
    return copyPacked({ shape, strides, offset, dtype: "float32" }, numbers) as Float32Array;
  return numbers.subarray(offset, offset + sizeOf(shape));
}

/** Runs a kernel whose result is an output. */
export function putNumbers({ scalars, store }: Wasm, output: View, run: Run): true {
  store.put(output, scalars.upload(scalars.run(run)));
  return true;
}
