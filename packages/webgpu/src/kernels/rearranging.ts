import type { DType, Kernel, View } from "@qkv/tensor";
import { toHalfBits } from "@qkv/core";
import type { Context } from "../context.js";
import { copyInto } from "./copy-into.js";
import { fuseCopyIntoProduct } from "./fuse-into-product.js";
import { map } from "./map.js";
import type { RowProducts } from "./row-products.js";
import { viewAs, withCopy } from "./contiguous.js";

/** Kernels that move, fill or mask numbers. */
export function rearrangingKernels(
  context: Context,
  rowProducts: RowProducts,
): Record<string, Kernel<never>> {
  const { store } = context;
  const kernels: Record<string, Kernel<never>> = {};
  const define = <A>(name: string, kernel: Kernel<A>) => {
    kernels[name] = ((inputs: readonly View[], outputs: readonly View[], attributes: A) =>
      [...inputs, ...outputs].every(({ dtype }) => dtype !== "float64") &&
      kernel(inputs, outputs, attributes)) as Kernel<never>;
  };
  define<{ axis: number; before: number; value: number }>("pad", ([x], [output], { axis, before, value }) => {
    fill(context, "pad", output!, value);
    copyInto(context, "pad", x!, store.read(output!), {
      strides: output!.strides,
      offset: before * output!.strides[axis]!,
    });
    return true;
  });
  define<{ axes: readonly number[] }>("flip", ([x], [output], { axes }) => {
    const strides = x!.strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    const offset = axes.reduce((at, axis) => at + (x!.shape[axis]! - 1) * x!.strides[axis]!, x!.offset);
    return map(context, "flip", [viewAs(x!, { strides, offset })], output!, {
      body: "return a;",
      bits: true,
    });
  });
  define<{ lower: boolean; diagonal: number }>("triangle", ([x], [output], { lower, diagonal }) => {
    const [rows, columns] = output!.shape.slice(-2) as [number, number];
    return map(context, "triangle", [x!], output!, {
      variant: lower ? "lower" : "upper",
      body: `let row = i32((n / p.columns) % p.rows);
  let column = i32(n % p.columns);
  return select(0u, a, column - row ${lower ? "<=" : ">="} p.diagonal);`,
      bits: true,
      params: (params) => params.u32("columns", columns).u32("rows", rows).i32("diagonal", diagonal),
    });
  });
  define<{ axes: readonly [number, number] }>("onDiagonal", ([x], [output], { axes }) => {
    const outputStrides = output!.strides;
    const strides = [
      ...outputStrides.filter((_, axis) => !axes.includes(axis)),
      outputStrides[axes[0]]! + outputStrides[axes[1]]!,
    ];
    return scattered(context, "onDiagonal", x!, output!, strides);
  });
  define<{ labels: readonly string[]; to: readonly string[] }>("place", ([x], [output], { labels, to }) => {
    const strides = labels.map((label) =>
      output!.strides.reduce((sum, stride, axis) => sum + (to[axis] === label ? stride : 0), 0),
    );
    return scattered(context, "place", x!, output!, strides);
  });
  define<{ axis: number; start: number }>("write", ([source], [target], { axis, start }) => {
    if (source!.dtype === "float64") return false;
    const buffer = store.update(target!);
    const at = { strides: target!.strides, offset: target!.offset + start * target!.strides[axis]! };
    if (store.read(source!) !== buffer) {
      if (fuseCopyIntoProduct(context, rowProducts, source!, buffer, at)) return true;
      copyInto(context, "write", source!, buffer, at);
      return true;
    }
    // A dispatch cannot read and write the same buffer: the source is copied first.
    return withCopy(context, source!, (copy) => {
      copyInto(context, "write", copy, buffer, at);
      return true;
    });
  });
  define<{ rate: number; key: [number, number] }>("dropout", ([x], [output], { rate, key }) =>
    map(context, "dropout", [x!], output!, {
      // Uniform number n has 52 random bits. The first 32 decide, unless they equal those of the bound.
      body: `let words = philox(vec4<u32>(n / 2u, 0u, 0u, 0u), vec2<u32>(p.key0, p.key1));
  let high = select(words.x, words.z, n % 2u == 1u);
  let low = select(words.y, words.w, n % 2u == 1u) >> 12u;
  if (high < p.rateHigh || (high == p.rateHigh && low < p.rateLow)) { return 0.0; }
  return a * p.scale;`,
      params: (params) => {
        // (high · 2²⁰ + low + ½) / 2⁵² < rate, in integers: high · 2²⁰ + low < ⌈rate · 2⁵² − ½⌉.
        const bound = Math.ceil(rate * 2 ** 52 - 0.5);
        params.u32("key0", key[0]).u32("key1", key[1]);
        params.u32("rateHigh", Math.floor(bound / 2 ** 20)).u32("rateLow", bound % 2 ** 20);
        params.f32("scale", 1 / (1 - rate));
      },
    }),
  );
  return kernels;
}

/** Fills an output with a value. */
export function fill(context: Context, op: string, output: View, value: number): void {
  const bits = bitPattern(value, output.dtype);
  map(context, op, [], output, {
    variant: "fill",
    body: "return p.bits;",
    bits: true,
    params: (params) => params.u32("bits", bits),
  });
}

/** Fills an output with zeros, then copies a view into it with the given strides. */
function scattered(context: Context, op: string, x: View, output: View, strides: readonly number[]): true {
  fill(context, op, output, 0);
  copyInto(context, op, x, context.store.read(output), { strides, offset: 0 });
  return true;
}

function bitPattern(value: number, dtype: DType): number {
  if (dtype === "float16" || dtype === "bfloat16") return value === 0 ? 0 : toHalfBits(value, dtype);
  if (dtype === "float32") return new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return dtype === "bool" ? Number(value !== 0) : value >>> 0;
}
