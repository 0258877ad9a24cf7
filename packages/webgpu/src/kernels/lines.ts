import { isContiguous } from "@qkv/core";
import { sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import type { Dispatch } from "../engine.js";
import { Params } from "../params.js";
import { arrayType } from "../wgsl/element.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";
import { foldText } from "../wgsl/workgroup.js";
import type { RowProducts } from "./row-products.js";

/** Threads of a workgroup. */
const width = 64;

/** A WGSL function of lines. A line is the numbers along one axis, with all other indices fixed; one workgroup computes it. */
type LineKernel = {
  readonly variant?: string;
  /** True if the body also computes with int32, as type `T`. Default false: only floats. */
  readonly acceptsInt32?: boolean;
  /**
   * WGSL statements for one line. `at(k)` is the index of element `k` in `xIn`, `to(k)` that in `out`; `p.n` is the length of a
   * line, `thread` is one of 64, and `total(x, thread)` and `most(x, thread)` are the sum and maximum of `x` over the threads.
   */
  readonly body: string;
  readonly reads?: Readonly<Record<string, View>>;
  readonly params?: (params: Params) => void;
  /** Called with the recorded dispatch. */
  readonly recorded?: (dispatch: Dispatch) => void;
};

/**
 * WGSL statements for the norm of a line. `finish` turns a normalized number into the result (weight and bias); `store` stores
 * the result as element `k`.
 */
type NormText = (finish: (value: string) => string, store: (value: string) => string) => string;

/** Softmax, norms and cumulative sums: one workgroup per line. */
export function lineKernels(context: Context, rowProducts: RowProducts): Record<string, Kernel<never>> {
  type Axis = { readonly axis: number };
  type Norm = { readonly eps: number };
  const softmax =
    (op: string, end: string) =>
    ([x]: readonly View[], [output]: readonly View[], { axis }: Axis) =>
      alongLines(context, op, x!, output!, axis, {
        body: `  var partial = -infinity();
  for (var k = thread; k < p.n; k += ${width}u) { partial = larger(partial, xIn[at(k)]); }
  let top = most(partial, thread);
  // Lines with NaN or ∞, or with only −∞, give NaN.
  let undefined_ = isNan(top) || isInf(top);
  var part = 0.0;
  for (var k = thread; k < p.n; k += ${width}u) { part += exp_(xIn[at(k)] - top); }
  let sumExp = total(part, thread);
  for (var k = thread; k < p.n; k += ${width}u) {
    let x = xIn[at(k)];
    out[to(k)] = select(${end}, notANumber(), undefined_);
  }`,
      });
  const normed = (params: Record<string, View>) => {
    const [weight, bias] = ["weight", "bias"].map((name) =>
      params[name] ? `${name}[u32(p.${name}Start + i32(k) * p.${name}Step)]` : "",
    );
    return (value: string) => `${value}${weight && ` * ${weight}`}${bias && ` + ${bias}`}`;
  };
  const norm =
    (op: string, compute: NormText) =>
    ([x, weight, bias]: readonly View[], [output]: readonly View[], { eps }: Norm) => {
      const reads = { ...(weight && { weight }), ...(bias && { bias }) };
      const variant = Object.keys(reads).join();
      const finish = normed(reads);
      const addParams = (params: Params) => {
        params.f32("eps", eps);
        for (const [name, view] of Object.entries(reads))
          params.i32(`${name}Start`, view.offset).i32(`${name}Step`, view.strides[0]!);
      };
      return alongLines(context, op, x!, output!, x!.shape.length - 1, {
        variant,
        body: compute(finish, (value) => `out[to(k)] = ${value};`),
        reads,
        params: addParams,
        recorded(dispatch) {
          if (!isContiguous(x!.shape, x!.strides)) return;
          rowProducts.addNorm(dispatch, {
            key: `${op}:${variant}`,
            length: x!.shape.at(-1)!,
            rows: sizeOf(x!.shape.slice(0, -1)),
            reads: dispatch.reads,
            bindings: ["xIn", ...Object.keys(reads)],
            addParams(params) {
              params.u32("xStart", x!.offset);
              addParams(params);
            },
            text: compute(finish, (value) => `row[k] = ${value};`),
          });
        },
      });
    };
  return {
    softmax: softmax("softmax", "exp_(x - top) / sumExp"),
    logSoftmax: softmax("logSoftmax", "x - top - log_(sumExp)"),
    rmsNorm: norm(
      "rmsNorm",
      (finish, store) => `  var part = 0.0;
  for (var k = thread; k < p.n; k += ${width}u) { let x = xIn[at(k)]; part += x * x; }
  let scale = 1.0 / sqrt(total(part, thread) / f32(p.n) + p.eps);
  for (var k = thread; k < p.n; k += ${width}u) { ${store(finish("xIn[at(k)] * scale"))} }`,
    ),
    // The float32 mean has a rounding error, so the mean of the differences from it is added.
    layerNorm: norm(
      "layerNorm",
      (finish, store) => `  var part = 0.0;
  for (var k = thread; k < p.n; k += ${width}u) { part += xIn[at(k)]; }
  let rounded = total(part, thread) / f32(p.n);
  part = 0.0;
  for (var k = thread; k < p.n; k += ${width}u) { part += xIn[at(k)] - rounded; }
  let mean = rounded + total(part, thread) / f32(p.n);
  part = 0.0;
  for (var k = thread; k < p.n; k += ${width}u) { let x = xIn[at(k)] - mean; part += x * x; }
  let scale = 1.0 / sqrt(total(part, thread) / f32(p.n) + p.eps);
  for (var k = thread; k < p.n; k += ${width}u) { ${store(finish("(xIn[at(k)] - mean) * scale"))} }`,
    ),
    cumsum: (
      [x]: readonly View[],
      [output]: readonly View[],
      { axis, exclusive, reverse }: Axis & { exclusive: boolean; reverse: boolean },
    ) =>
      alongLines(context, "cumsum", x!, output!, axis, {
        variant: `${exclusive}${reverse}`,
        acceptsInt32: true,
        // Each thread sums a range of numbers, then adds the totals of the ranges before it.
        body: `  let each = (p.n + ${width - 1}u) / ${width}u;
  let begin = min(thread * each, p.n);
  let end = min(begin + each, p.n);
  var partial = T();
  for (var k = begin; k < end; k++) { partial += xIn[at(${reverse ? "p.n - 1u - k" : "k"})]; }
  rangeSums[thread] = partial;
  workgroupBarrier();
  var sum = T();
  for (var t = 0u; t < thread; t++) { sum += rangeSums[t]; }
  for (var k = begin; k < end; k++) {
    let place = ${reverse ? "p.n - 1u - k" : "k"};
    ${exclusive ? "out[to(place)] = sum;\n    sum += xIn[at(place)];" : "sum += xIn[at(place)];\n    out[to(place)] = sum;"}
  }`,
      }),
  };
}

function alongLines(
  { store, engine }: Context,
  op: string,
  x: View,
  output: View,
  axis: number,
  { variant = "", acceptsInt32 = false, body, reads = {}, params: addParams, recorded }: LineKernel,
): boolean {
  const numbers = acceptsInt32 && x.dtype === "int32" ? "int32" : "float32";
  if ([x, output, ...Object.values(reads)].some(({ dtype }) => dtype !== numbers)) return false;
  const type = arrayType(numbers);
  const n = x.shape[axis]!;
  const lines = n === 0 ? 0 : sizeOf(x.shape) / n;
  const others = (list: readonly number[]) => list.filter((_, a) => a !== axis);
  const params = new Params().u32("n", n).u32("lines", lines).i32("step", x.strides[axis]!);
  params.u32("stepOut", output.strides[axis]!);
  const offsets = traversal(op, params, "line", others(x.shape), {
    xFirst: { strides: others(x.strides), offset: x.offset },
    outFirst: { strides: others(output.strides), offset: 0 },
  });
  addParams?.(params);
  const { subgroups } = engine;
  const dispatch: Dispatch = {
    op,
    key: `lines:${op}:${variant}:${type}:${offsets.rank}`,
    text: () =>
      withFunctions(`${params.declaration}
${bindingsText(
  { xIn: type, ...Object.fromEntries(Object.keys(reads).map((name) => [name, type])) },
  { out: type },
)}
alias T = ${type};
var<private> first: i32;
var<private> firstOut: i32;
fn at(k: u32) -> u32 { return u32(first + i32(k) * p.step); }
fn to(k: u32) -> u32 { return u32(firstOut) + k * p.stepOut; }
${body.includes("total(") ? foldText("total", "f32", width, "a + b", subgroups) : ""}
${body.includes("most(") ? foldText("most", "f32", width, "larger(a, b)", subgroups) : ""}
${body.includes("rangeSums[") ? `var<workgroup> rangeSums: array<T, ${width}>;` : ""}
${mainText(
  width,
  `  if (group >= p.lines) { return; }
  ${offsets.text("group")}
  first = xFirst;
  firstOut = outFirst;
${body}`,
  subgroups,
)}`),
    reads: [x, ...Object.values(reads)].map((view) => store.read(view)),
    writes: [store.write(output)],
    params,
    groups: gridFor(lines),
  };
  engine.record(dispatch);
  recorded?.(dispatch);
  return true;
}
