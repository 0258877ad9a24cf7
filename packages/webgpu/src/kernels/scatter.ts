import { bytesPerElement, sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bitsAt } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";
import { storeBitsText } from "./copy-into.js";
import { checkIndices } from "./indices.js";
import { map } from "./map.js";
import { viewAs, withContiguous } from "./contiguous.js";
import { fill } from "./rearranging.js";

type Axis = { readonly axis: number };

/**
 * Kernels that write elements by index. One thread handles all elements along the axis, in order: of equal indices the
 * last one wins, sums are deterministic, and floats need no atomics.
 */
export function scatterKernels(context: Context): Record<string, Kernel<never>> {
  const kernels: Record<string, Kernel<never>> = {};
  const define = <A>(name: string, kernel: Kernel<A>) => {
    kernels[name] = ((inputs: readonly View[], outputs: readonly View[], attributes: A) =>
      [...inputs, ...outputs].every(({ dtype }) => dtype !== "float64") &&
      kernel(inputs, outputs, attributes)) as Kernel<never>;
  };
  define<Axis>("scatter", ([x, indices, source], [output], { axis }) => {
    map(context, "copy", [x!], output!, { body: "return a;", bits: true });
    return scatterInto(context, "scatter", output!, indices!, source!, axis, "set");
  });
  define<Axis>("scatterAdd", ([x, indices, source], [output], { axis }) => {
    if (output!.dtype !== "float32" && output!.dtype !== "int32") return false;
    map(context, "copy", [x!], output!, { body: "return a;", bits: true });
    return scatterInto(context, "scatterAdd", output!, indices!, source!, axis, "add");
  });
  define<Axis>("scatterMax", ([x, indices, source], [output], { axis }) => {
    if (output!.dtype !== "float32" && output!.dtype !== "int32") return false;
    map(context, "copy", [x!], output!, { body: "return a;", bits: true });
    return scatterInto(context, "scatterMax", output!, indices!, source!, axis, "max");
  });
  define<Axis>("gatherBackward", ([dy, indices], [output], { axis }) => {
    if (output!.dtype !== "float32") return false;
    fill(context, "gatherBackward", output!, 0);
    return scatterInto(context, "gatherBackward", output!, indices!, dy!, axis, "add");
  });
  define<Axis>("takeBackward", ([dy, indices], [output], { axis }) => {
    if (output!.dtype !== "float32") return false;
    fill(context, "takeBackward", output!, 0);
    const count = sizeOf(indices!.shape);
    const [outer, inner] = [sizeOf(output!.shape.slice(0, axis)), sizeOf(output!.shape.slice(axis + 1))];
    const cut = (view: View, n: number) =>
      viewAs(view, { shape: [outer, n, inner], strides: [n * inner, inner, 1] });
    return withContiguous(context, dy!, (dy) =>
      withContiguous(context, indices!, (indices) => {
        const places = viewAs(indices, { shape: [outer, count, inner], strides: [0, 1, 0] });
        const to = cut(output!, output!.shape[axis]!);
        return scatterInto(context, "takeBackward", to, places, cut(dy, count), 1, "add");
      }),
    );
  });
  // 1 for each index, or 0 if a later one along the axis is equal.
  define<Axis & { shape: readonly number[] }>("lastWritten", ([indices], [output], { axis, shape }) => {
    checkIndices(context, "scatter", indices!, shape[axis]!);
    const n = indices!.shape[axis]!;
    return map(context, "lastWritten", [indices!], output!, {
      body: `let index = aElement(aAt);
  let k = i32((n / p.inner) % p.length);
  for (var later = k + 1; later < i32(p.length); later++) {
    if (aElement(aAt + (later - k) * p.step) == index) { return 0; }
  }
  return 1;`,
      bodyReads: new Set([0]),
      params: (params) =>
        params
          .u32("inner", sizeOf(indices!.shape.slice(axis + 1)))
          .u32("length", n)
          .i32("step", indices!.strides[axis]!),
    });
  });
  return kernels;
}

function scatterInto(
  context: Context,
  op: string,
  output: View,
  indices: View,
  source: View,
  axis: number,
  mode: "set" | "add" | "max",
): boolean {
  const { store, engine } = context;
  const length = output.shape[axis]!;
  checkIndices(context, op, indices, length);
  const others = (list: readonly number[]) => list.filter((_, a) => a !== axis);
  const lines = others(source.shape);
  const count = sizeOf(lines);
  const fault = engine.faults(op);
  const params = new Params().u32("lines", count).u32("n", source.shape[axis]!).i32("length", length);
  params.i32("toStep", output.strides[axis]!).i32("placeStep", indices.strides[axis]!);
  params.i32("sourceStep", source.strides[axis]!).u32("fault", fault.code);
  const offsets = traversal(op, params, "line", lines, {
    toAt: { strides: others(output.strides), offset: output.offset },
    placeAt: { strides: others(indices.strides), offset: indices.offset },
    sourceAt: { strides: others(source.strides), offset: source.offset },
  });
  const bytes = bytesPerElement(output.dtype);
  const type = mode === "set" ? "u32" : output.dtype === "float32" ? "f32" : "i32";
  engine.record({
    op,
    key: `scatter:${mode}:${type}:${bytes}:${offsets.rank}`,
    text: () => {
      const element = mode === "set" && bytes < 4 ? "atomic<u32>" : type;
      const larger = type === "f32" ? "larger" : "max";
      const act =
        mode === "add"
          ? "to[u32(toAt + index * p.toStep)] += source[read_];"
          : mode === "max"
            ? `let place = u32(toAt + index * p.toStep);
    to[place] = ${larger}(to[place], source[read_]);`
            : `let bits = ${bitsAt("source", bytes, "read_")};
    let place = u32(toAt + index * p.toStep);
    ${storeBitsText("to", bytes, "place")}`;
      return withFunctions(`${params.declaration}
${bindingsText({ places: "i32", source: type }, { to: element, faults: "atomic<u32>" })}
${mainText(
  threads,
  `  let line = group * ${threads}u + thread;
  if (line >= p.lines) { return; }
  ${offsets.text("line")}
  for (var k = 0; k < i32(p.n); k++) {
    let index = places[u32(placeAt + k * p.placeStep)];
    if (index < 0 || index >= p.length) { atomicStore(&faults[0], p.fault); continue; }
    let read_ = u32(sourceAt + k * p.sourceStep);
    ${act}
  }`,
)}`);
    },
    reads: [store.read(indices), store.read(source)],
    writes: [store.read(output), fault.buffer],
    params,
    groups: gridFor(Math.ceil(count / threads)),
  });
  return true;
}
