import { nest, sizeOf, type Nested } from "@qkv/core";

/** A tensor as Transformers.js returns it, with the property names of its `Tensor`. */
export type OutputTensor = {
  readonly type: "float32" | "int8" | "uint8";
  /** The shape. */
  readonly dims: readonly number[];
  readonly data: Float32Array | Int8Array | Uint8Array;
  /** Number of elements. */
  readonly size: number;
  /** Returns the elements as nested arrays. */
  tolist(): Nested;
  /** Slices along the first axis, which share memory. */
  readonly [index: number]: OutputTensor;
  [Symbol.iterator](): IterableIterator<OutputTensor>;
};

/** Creates a tensor in the form of Transformers.js. */
export function outputTensor(data: OutputTensor["data"], dims: readonly number[]): OutputTensor {
  const sliceAt = (index: number): OutputTensor => {
    const sliceDims = dims.slice(1);
    const size = sizeOf(sliceDims);
    return outputTensor(data.subarray(index * size, (index + 1) * size), sliceDims);
  };
  const type = data instanceof Float32Array ? "float32" : data instanceof Int8Array ? "int8" : "uint8";
  const result: object = {
    type,
    dims,
    data,
    size: data.length,
    tolist: () => nest({ data, shape: dims, dtype: type }),
    *[Symbol.iterator]() {
      for (let index = 0; index < (dims[0] ?? 0); index++) yield sliceAt(index);
    },
  };
  for (let index = 0; index < (dims[0] ?? 0); index++)
    Object.defineProperty(result, index, { get: () => sliceAt(index) });
  return result as OutputTensor;
}
