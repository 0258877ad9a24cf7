import { isContiguous } from "@qkv/core";
import { sizeOf, type View } from "@qkv/tensor";
import type { GpuBuffer } from "../buffers.js";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { traversal } from "../wgsl/traversal.js";
import type { Target } from "./copy-into.js";
import type { RowProducts } from "./row-products.js";

/** True for contiguous float32 tensors that fill their storage. */
const fillsStorage = ({ storage, dtype, shape, strides, offset }: View): boolean =>
  dtype === "float32" && offset === 0 && storage.length === sizeOf(shape) && isContiguous(shape, strides);

/**
 * Fuses an elementwise function of one or two tensors into the matrix product that computes one of them.
 *
 * @param body - WGSL statements that return the result from `a`, or from `a` and `b`.
 * @returns False if that is not possible.
 */
export function fuseIntoProduct(
  context: Context,
  rowProducts: RowProducts,
  name: string,
  inputs: readonly View[],
  output: View,
  body: string,
): boolean {
  const { store } = context;
  const count = sizeOf(output.shape);
  const isFusible = (x: View) =>
    fillsStorage(x) && sizeOf(x.shape) === count && x.shape.length === output.shape.length;
  if (output.dtype !== "float32" || count === 0 || !inputs.every(isFusible)) return false;
  for (const [productIndex, input] of inputs.entries()) {
    const results = store.bufferOf(input);
    if (!rowProducts.has(results)) continue;
    const others = inputs.flatMap((x, i) => (i === productIndex ? [] : [store.read(x)]));
    if (others.includes(results)) return false;
    const epilogue = {
      key: `${name}:${productIndex}`,
      reads: others,
      write: store.write(output),
      text: (_: Params, i: number) => ({
        reads: others.length > 0 ? { [`other${i}`]: "f32" } : {},
        writes: { [`followed${i}`]: "f32" },
        functions: `fn follow${i}(${["a: f32", "b: f32"].slice(0, inputs.length).join(", ")}) -> f32 {
  ${body}
}`,
        statements: `followed${i}[at] = follow${i}(${inputs.map((_, n) => (n === productIndex ? "y" : `other${i}[at]`)).join(", ")});`,
      }),
    };
    if (rowProducts.fuse(context, results, epilogue)) return true;
  }
  return false;
}

/**
 * Fuses a copy of a tensor into a buffer, with any order of axes, into the matrix product that computes the tensor.
 *
 * @returns False if that is not possible.
 */
export function fuseCopyIntoProduct(
  context: Context,
  rowProducts: RowProducts,
  source: View,
  buffer: GpuBuffer,
  target: Target,
): boolean {
  const { dtype, storage, shape, strides, offset } = source;
  const results = context.store.bufferOf(source);
  if (!rowProducts.has(results) || dtype !== "float32" || offset !== 0 || storage.length !== sizeOf(shape))
    return false;
  // The axes in the order of the product's output.
  const axes = shape.map((_, axis) => axis).filter((axis) => shape[axis]! > 1);
  axes.sort((a, b) => strides[b]! - strides[a]!);
  const lengths = axes.map((axis) => shape[axis]!);
  if (
    !isContiguous(
      lengths,
      axes.map((axis) => strides[axis]!),
    )
  )
    return false;
  const targetLayout = { strides: axes.map((axis) => target.strides[axis]!), offset: target.offset };
  const addTraversal = (params: Params, i: number) =>
    traversal("write", params, `copy${i}`, lengths, { [`copyAt${i}`]: targetLayout });
  const { rank } = addTraversal(new Params(), 0);
  return rowProducts.fuse(context, results, {
    key: `write:${rank}`,
    reads: [],
    write: buffer,
    text(params, i) {
      const offsets = addTraversal(params, i);
      return {
        reads: {},
        writes: { [`copied${i}`]: "f32" },
        functions: "",
        statements: `${offsets.text("at")}\n  copied${i}[u32(copyAt${i})] = y;`,
      };
    },
  });
}
