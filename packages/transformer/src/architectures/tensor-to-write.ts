import { concat, slice, sub, take, tensor, transpose, type Tensor } from "@qkv/tensor";
import { asFloats } from "../conversions/as-floats.js";

/**
 * A tensor in the layout of a file, such as transposed, concatenated or with permuted rows. It is computed
 * a few rows at a time, so that a model is never in memory twice.
 */
export type TensorToWrite = {
  readonly name: string;
  readonly shape: readonly number[];
  /** Rows `first` to `end - 1`. */
  rows(first: number, end: number): Tensor;
};

/** The tensor unchanged. A scalar has one row. */
export function unchanged(name: string, x: Tensor): TensorToWrite {
  const rows = (first: number, end: number) => (x.shape.length === 0 ? x : asFloats(slice(x, 0, first, end)));
  return { name, shape: x.shape, rows };
}

/** The tensor minus an offset, such as norm weights that are stored minus 1. */
export function withOffset(name: string, x: Tensor, offset: number): TensorToWrite {
  return { name, shape: x.shape, rows: (first, end) => sub(slice(x, 0, first, end), offset) };
}

/** The tensor with permuted rows: row `i` of the file is row `from(i)` of `x`. */
export function reordered(name: string, x: Tensor, from: (row: number) => number): TensorToWrite {
  const rows = (first: number, end: number) => {
    const indices = Int32Array.from({ length: end - first }, (_, i) => from(first + i));
    return asFloats(take(x, 0, tensor(indices, { device: x.device })));
  };
  return { name, shape: x.shape, rows };
}

/** Several tensors, concatenated. */
export function concatenated(name: string, parts: readonly Tensor[]): TensorToWrite {
  const [first] = parts as [Tensor];
  const count = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const rows = (from: number, to: number) => {
    let start = 0;
    const slices = parts.flatMap((x) => {
      const [a, b] = [Math.max(from - start, 0), Math.min(to - start, x.shape[0]!)];
      start += x.shape[0]!;
      return a < b ? [asFloats(slice(x, 0, a, b))] : [];
    });
    return concat(slices, 0);
  };
  return { name, shape: [count, ...first.shape.slice(1)], rows };
}

/** Matrices, concatenated and transposed: `[in, out]`. */
export function transposed(name: string, parts: readonly Tensor[]): TensorToWrite {
  const out = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const rows = (first: number, end: number) =>
    concat(
      parts.map((x) => asFloats(transpose(slice(x, 1, first, end)))), // only the requested rows are transposed
      1,
    );
  return { name, shape: [parts[0]!.shape[1]!, out], rows };
}
