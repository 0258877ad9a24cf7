import { isContiguous } from "@qkv/core";
import { sizeOf, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { map } from "./map.js";

/** Row-major strides of a shape. */
export const contiguousStrides = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** A view with another shape, strides or offset. It does not read `array`, which would fetch the numbers. */
export function viewAs(
  { storage, dtype, shape, strides, offset }: View,
  other: Partial<Pick<View, "shape" | "strides" | "offset" | "storage" | "dtype">>,
): View {
  return { storage, dtype, shape, strides, offset, ...other } as View;
}

/** Runs `f` with a contiguous view: the view itself, or a copy that is freed afterwards. */
export function withContiguous<T>(context: Context, view: View, f: (contiguous: View) => T): T {
  return isContiguous(view.shape, view.strides) ? f(view) : withCopy(context, view, f);
}

/** Runs `f` with a contiguous copy of a view, which is freed afterwards. */
export function withCopy<T>(context: Context, view: View, f: (copy: View) => T): T {
  const { store } = context;
  const storage = store.make(view.dtype, sizeOf(view.shape), undefined);
  try {
    const copy = viewAs(view, { storage, strides: contiguousStrides(view.shape), offset: 0 });
    map(context, "copy", [view], copy, { body: "return a;", bits: true });
    return f(copy);
  } finally {
    store.release(storage);
  }
}
