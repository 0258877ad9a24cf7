import { sizeOf } from "@qkv/core";
import type { TypedArray } from "@qkv/tensor";
import type { TensorToWrite } from "../architectures/tensor-to-write.js";

/** Elements per chunk: large enough to be fast, small compared to a model. */
const maxElements = 2 ** 20;

/** Reads a tensor in chunks of rows. */
export async function* rowChunks({ shape, rows }: TensorToWrite): AsyncGenerator<TypedArray> {
  const [count = 1, ...inner] = shape;
  const step = Math.max(1, Math.floor(maxElements / sizeOf(inner)));
  for (let first = 0; first < count; first += step) {
    yield await rows(first, Math.min(count, first + step)).read();
  }
}
