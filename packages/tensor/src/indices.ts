import { refuse, refuseShape, type Shape } from "@qkv/core";
import type { Tensor } from "./tensor.js";

/** Checks indices of `gather` and `scatter`: int32, with the rank of `within` and no longer than it except along `axis`. */
export function checkIndices(fn: string, { dtype, shape }: Tensor, within: Shape, axis: number): void {
  if (dtype !== "int32") {
    refuse(fn, "indices", dtype, "int32", 'make them with `tensor(values, { dtype: "int32" })` or `cast`.');
  }
  const fits =
    shape.length === within.length && shape.every((length, a) => a === axis || length <= within[a]!);
  if (fits) return;
  refuseShape(
    fn,
    "indices",
    shape,
    `at most [${within.map((length, a) => (a === axis ? "any" : length)).join(", ")}]`,
    "give the indices every axis of x, each at most as long as there; only the axis of the call is free.",
  );
}

/** Returns an index. Refuses one outside of an axis of this length. */
export function checkInside(fn: string, index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  refuse(
    fn,
    "indices",
    index,
    `integers from 0 to ${length - 1}`,
    "point only at what is there; a negative index does not count from the end.",
  );
}
