import { sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { arrayType, numberAt, valueType } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";

const width = 256;

/** Kernels that sort the numbers of a line. They are stable, and NaN is last. */
export function sortingKernels(context: Context): Record<string, Kernel<never>> {
  type Sort = { readonly axis: number; readonly descending: boolean };
  type TopK = { readonly axis: number; readonly k: number; readonly largest: boolean };
  return {
    // The rank of a number is the count of numbers that sort before it.
    argSort: ([x]: readonly View[], [output]: readonly View[], { axis, descending }: Sort) =>
      overLines(context, "argSort", x!, output!, axis, descending, {
        results: x!.shape[axis]!,
        body: `  for (var k = thread; k < p.n; k += ${width}u) {
    let value = number(k);
    var place = 0u;
    for (var j = 0u; j < p.n; j++) { if (j != k && before(number(j), j, value, k)) { place += 1u; } }
    out[to(place)] = i32(k);
  }`,
      }),
    // Each next result is the first number, in this order, after the previous result.
    topK: ([x]: readonly View[], [output]: readonly View[], { axis, k, largest }: TopK) =>
      overLines(context, "topK", x!, output!, axis, largest, {
        results: k,
        body: `  for (var found = 0u; found < p.results; found++) {
    var best = p.n;
    for (var k = thread; k < p.n; k += ${width}u) {
      let after = found == 0u || before(number(last), last, number(k), k);
      if (after && k != select(p.n, last, found > 0u)) {
        if (best == p.n || before(number(k), k, number(best), best)) { best = k; }
      }
    }
    places[thread] = best;
    workgroupBarrier();
    for (var step = ${width / 2}u; step > 0u; step /= 2u) {
      if (thread < step) {
        let a = places[thread];
        let b = places[thread + step];
        if (b != p.n && (a == p.n || before(number(b), b, number(a), a))) { places[thread] = b; }
      }
      workgroupBarrier();
    }
    last = places[0];
    workgroupBarrier();
    if (thread == 0u) { out[to(found)] = i32(last); }
  }`,
      }),
  };
}

function overLines(
  { store, engine }: Context,
  op: string,
  x: View,
  output: View,
  axis: number,
  descending: boolean,
  { results, body }: { readonly results: number; readonly body: string },
): boolean {
  if (x.dtype === "float64" || output.dtype !== "int32") return false;
  const n = x.shape[axis]!;
  const lines = results === 0 ? 0 : sizeOf(output.shape) / results;
  const others = (list: readonly number[]) => list.filter((_, a) => a !== axis);
  const params = new Params()
    .u32("n", n)
    .u32("lines", lines)
    .u32("results", results)
    .i32("step", x.strides[axis]!);
  params.u32("stepOut", output.strides[axis]!);
  const offsets = traversal(op, params, "line", others(x.shape), {
    xFirst: { strides: others(x.strides), offset: x.offset },
    outFirst: { strides: others(output.strides), offset: 0 },
  });
  const type = valueType(x.dtype);
  engine.record({
    op,
    key: `${op}:${x.dtype}:${descending}:${offsets.rank}`,
    text: () =>
      withFunctions(`${params.declaration}
${bindingsText({ xIn: arrayType(x.dtype) }, { out: "i32" })}
var<private> first: i32;
var<private> firstOut: i32;
var<private> last: u32;
var<workgroup> places: array<u32, ${width}>;
fn number(k: u32) -> ${type} { return ${numberAt("xIn", x.dtype, "u32(first + i32(k) * p.step)")}; }
fn to(k: u32) -> u32 { return u32(firstOut) + k * p.stepOut; }
fn before(a: ${type}, i: u32, b: ${type}, j: u32) -> bool {
  ${type === "f32" ? "if (isNan(a) != isNan(b)) { return isNan(b); }\n  if (isNan(a)) { return i < j; }" : ""}
  if (a == b) { return i < j; }
  return a ${descending ? ">" : "<"} b;
}
${mainText(
  width,
  `  if (group >= p.lines) { return; }
  ${offsets.text("group")}
  first = xFirst;
  firstOut = outFirst;
${body}`,
)}`),
    reads: [store.read(x)],
    writes: [store.write(output)],
    params,
    groups: gridFor(lines),
  });
  return true;
}
