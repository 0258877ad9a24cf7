import { bytesPerElement, sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { arrayType, numberAt, valueType } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";
import { foldText } from "../wgsl/workgroup.js";

/** WGSL of a reduction. Each group of numbers that are reduced to one result has an accumulator. */
type Reduction = {
  /** Initial value of the accumulator. */
  readonly start: string;
  /** Accumulator of a single number `x`, element `k` of its group. */
  readonly lift: string;
  /** Combination of two accumulators, `a` of earlier numbers and `b` of later ones. */
  readonly fold: string;
  /** Result of the accumulator `a` of all `p.count` numbers. */
  readonly end: string;
  /** Type of accumulators. */
  readonly type: string;
  readonly functions?: string;
};

/** Largest group that a single thread reduces. A workgroup reduces larger ones. */
const maxPerThread = 32;
/** Threads of a workgroup that reduces a large group. */
const width = 256;

type Axes = { readonly axes: readonly number[] };

/** Reductions over any axes of any strides. */
export function reduceKernels(context: Context): Record<string, Kernel<never>> {
  const kernels: Record<string, Kernel<never>> = {};
  for (const [name, reductionFor] of Object.entries(reductions)) {
    kernels[name] = (([x]: readonly View[], [output]: readonly View[], { axes }: Axes) =>
      reduce(context, name, x!, output!, axes, reductionFor)) as Kernel<never>;
  }
  kernels["sumTo"] = (([x]: readonly View[], [output]: readonly View[]) => {
    const missing = x!.shape.length - output!.shape.length;
    const summed = x!.shape.flatMap((length, axis) =>
      axis < missing || (output!.shape[axis - missing] === 1 && length !== 1) ? [axis] : [],
    );
    return reduce(context, "sumTo", x!, output!, summed, reductions["sum"]!);
  }) as Kernel<never>;
  return kernels;
}

const sum = (type: string): Reduction => ({
  start: `${type}(0)`,
  lift: "x",
  fold: "a + b",
  end: "a",
  type,
});

const reductions: Record<string, (type: "f32" | "i32") => Reduction> = {
  sum,
  mean: (type) => ({ ...sum(type), end: "a / f32(p.count)" }),
  norm: (type) => ({ ...sum(type), lift: "x * x", end: "sqrt_(a)" }),
  max: (type) =>
    type === "f32"
      ? { start: "-infinity()", lift: "x", fold: "larger(a, b)", end: "a", type }
      : { start: "i32(-2147483647 - 1)", lift: "x", fold: "max(a, b)", end: "a", type },
  min: (type) =>
    type === "f32"
      ? { start: "infinity()", lift: "x", fold: "smaller(a, b)", end: "a", type }
      : { start: "2147483647", lift: "x", fold: "min(a, b)", end: "a", type },
  any: (type) => ({
    start: "0",
    lift: `select(0, 1, x != ${type}(0))`,
    fold: "a | b",
    end: "a",
    type: "i32",
  }),
  all: (type) => ({
    start: "1",
    lift: `select(0, 1, x != ${type}(0))`,
    fold: "a & b",
    end: "a",
    type: "i32",
  }),
  argmax: (type) => extremum(type, ">"),
  argmin: (type) => extremum(type, "<"),
  // The accumulator is (maximum, Σ exp(x − maximum)). If the maximum is infinite or NaN, it is the result.
  logSumExp: () => ({
    start: "vec2<f32>(-infinity(), 0.0)",
    lift: "vec2<f32>(x, 1.0)",
    fold: "joined(a, b)",
    end: "summed(a)",
    type: "vec2<f32>",
    functions: `fn joined(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
  let most = larger(a.x, b.x);
  if (isInf(most) || isNan(most)) { return vec2<f32>(most, select(0.0, 1.0, most > 0.0 || isNan(most))); }
  let below = select(a.y * exp_(a.x - most), 0.0, a.y == 0.0);
  return vec2<f32>(most, below + select(b.y * exp_(b.x - most), 0.0, b.y == 0.0));
}
fn summed(a: vec2<f32>) -> f32 {
  if (isInf(a.x) || isNan(a.x)) { return a.x; }
  return a.x + log_(a.y);
}`,
  }),
};

/** Index of the first maximum, or minimum; of the first NaN if there is one. */
function extremum(type: "f32" | "i32", better: ">" | "<"): Reduction {
  const nan = type === "f32" ? "isNan(a.value) && !isNan(b.value)" : "false";
  const otherNan = type === "f32" ? "isNan(b.value) && !isNan(a.value)" : "false";
  return {
    start: `Place(${type}(0), 0xffffffffu)`,
    lift: "Place(x, k)",
    fold: "chosen(a, b)",
    end: "i32(select(a.place, 0u, a.place == 0xffffffffu))",
    type: "Place",
    functions: `struct Place { value: ${type}, place: u32 }
fn chosen(a: Place, b: Place) -> Place {
  if (b.place == 0xffffffffu) { return a; }
  if (a.place == 0xffffffffu) { return b; }
  if (${nan}) { return a; }
  if (${otherNan}) { return b; }
  if (b.value ${better} a.value) { return b; }
  if (a.value ${better} b.value) { return a; }
  if (a.place < b.place) { return a; }
  return b;
}`,
  };
}

function reduce(
  { store, engine }: Context,
  op: string,
  x: View,
  output: View,
  axes: readonly number[],
  reductionFor: (type: "f32" | "i32") => Reduction,
): boolean {
  if (x.dtype === "float64" || output.dtype === "float64") return false;
  const pick = (list: readonly number[], reduced: boolean) =>
    list.filter((_, axis) => axes.includes(axis) === reduced);
  const count = sizeOf(pick(x.shape, true));
  const results = sizeOf(output.shape);
  const params = new Params().u32("count", count).u32("results", results);
  const groups = traversal(op, params, "group", pick(x.shape, false), {
    first: { strides: pick(x.strides, false), offset: x.offset },
  });
  const inside = traversal(op, params, "inside", pick(x.shape, true), {
    along: { strides: pick(x.strides, true), offset: 0 },
  });
  const alone = count <= maxPerThread;
  const packed = bytesPerElement(output.dtype) === 1;
  const { subgroups } = engine;
  engine.record({
    op,
    key: `reduce:${op}:${x.dtype}:${output.dtype}:${groups.rank}:${inside.rank}:${alone}`,
    text: () => {
      const { start, lift, fold, end, type, functions = "" } = reductionFor(valueType(x.dtype));
      const step = (by: string) => `for (var k = ${by === "1" ? "0u" : "thread"}; k < p.count; k += ${by}u) {
    ${inside.text("k")}
    let x = ${numberAt("xIn", x.dtype, "u32(first + along)")};
    let a = all;
    let b = ${lift};
    all = ${fold};
  }
  `;
      // Bytes share words: one thread or workgroup computes four results.
      const each = packed ? 4 : 1;
      const result = (inner: string) => `${groups.text("result")}
  var all = ${start};
  ${inner}let a = all;
  `;
      const written = (position: string) =>
        packed ? `word |= (u32(${end}) & 255u) << (8u * ${position});` : `out[result] = ${end};`;
      const tree = foldText("together", type, width, fold, subgroups);
      const body = alone
        ? `  let place = group * ${threads}u + thread;
  ${packed ? "var word = 0u;" : ""}
  for (var j = 0u; j < ${each}u; j++) {
    let result = place * ${each}u + j;
    if (result < p.results) {
  ${result(step("1"))}${written("j")}
    }
  }
  ${packed ? "if (place * 4u < p.results) { out[place] = word; }" : ""}`
        : `  ${packed ? "var word = 0u;" : ""}
  for (var j = 0u; j < ${each}u; j++) {
    let result = min(group * ${each}u + j, p.results - 1u);
    ${result(`${step(`${width}`)}all = together(all, thread);
  `)}if (thread == 0u) { ${written("j")} }
  }
  ${packed ? "if (thread == 0u && group * 4u < p.results) { out[group] = word; }" : ""}`;
      return withFunctions(`${params.declaration}
${bindingsText({ xIn: arrayType(x.dtype) }, { out: arrayType(output.dtype) })}
${functions}
${alone ? "" : tree}
${mainText(alone ? threads : width, body, subgroups)}`);
    },
    reads: [store.read(x)],
    writes: [store.write(output)],
    params,
    groups: gridFor(Math.ceil(results / (packed ? 4 : 1) / (alone ? threads : 1))),
  });
  return true;
}
