import { isPacked } from "@qkv/core";
import { broadcastStrides, sizeOf, type DType, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { deviceError } from "../failures.js";
import { Params } from "../params.js";
import { arrayType, vec4At, numberAt } from "../wgsl/element.js";
import { bindingsText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";
import { foldText } from "../wgsl/workgroup.js";
import { contiguousStrides, viewAs } from "./contiguous.js";
import {
  maxProductRows,
  type EpiloguesText,
  type RowNorm,
  type RowProduct,
  type RowProducts,
} from "./row-products.js";

/** Rows, and columns, of an output tile, which a workgroup computes. */
const tile = 64;
/** Length along the inner axis K that is loaded into workgroup memory at once. */
const depth = 16;
/** Rows, and columns, of a tile that one thread computes. */
const block = 8;
/** vec4s of them: `block / 4`. */
const parts = 2;
/** Threads along each axis of a tile. */
const side = 8;

/** The axis along which an operand is contiguous and aligned to vec4s: K (inner), or M or N (outer). */
type Along = "inner" | "outer" | "none";

/**
 * Matrix products of any strides, with broadcasting of batches. `linear` adds a bias when it stores, and reads 16-bit weights
 * in place.
 */
export function matmulKernels(context: Context, rowProducts: RowProducts): Record<string, Kernel<never>> {
  return {
    matmul: ([a, b]: readonly View[], [output]: readonly View[]) =>
      product(context, "matmul", a!, b!, output!),
    // x is contiguous, or a matrix; the weight is [out, in].
    linear: ([x, weight, bias]: readonly View[], [output]: readonly View[]) => {
      const [N, K] = weight!.shape as [number, number];
      const rows =
        x!.shape.length === 2
          ? x!
          : viewAs(x!, { shape: [sizeOf(x!.shape.slice(0, -1)), K], strides: [K, 1] });
      const transposed = viewAs(weight!, {
        shape: [K, N],
        strides: [weight!.strides[1]!, weight!.strides[0]!],
      });
      const out = viewAs(output!, { shape: [rows.shape[0]!, N], strides: [N, 1] });
      return product(context, "linear", rows, transposed, out, bias, rowProducts);
    },
  };
}

/** out[…, m, n] = Σₖ a[…, m, k] · b[…, k, n] + bias[n] */
export function product(
  context: Context,
  op: string,
  a: View,
  b: View,
  output: View,
  bias?: View,
  rowProducts?: RowProducts,
): boolean {
  const { store, engine } = context;
  if ([a, output, ...(bias ? [bias] : [])].some(({ dtype }) => dtype !== "float32")) return false;
  const { dtype } = b;
  if (dtype !== "float32" && !isPacked(dtype)) return false;
  const [M, K] = a.shape.slice(-2) as [number, number];
  const N = b.shape.at(-1)!;
  const batch = output.shape.slice(0, -2);
  const batches = sizeOf(batch);
  const [aOuter, aInner] = a.strides.slice(-2) as [number, number];
  const [bInner, bOuter] = b.strides.slice(-2) as [number, number];
  if (batches > maxWorkgroups)
    throw deviceError(op, "size", `a product of ${batches} matrices, and a grid has ${maxWorkgroups}`);
  const strides = [a, b].map((view) =>
    broadcastStrides(batch, view.shape.slice(0, -2), view.strides.slice(0, -2)),
  );
  const createParams = () => {
    const params = new Params().u32("M", M).u32("N", N).u32("K", K).u32("batches", batches);
    params.u32("aOuter", aOuter).u32("aInner", aInner).u32("bOuter", bOuter).u32("bInner", bInner);
    // "added": a norm that is fused into the product may have parameters `biasStart` and `biasStep` of its own.
    if (bias) params.u32("addedStart", bias.offset).u32("addedStep", bias.strides[0]!);
    const offsets = traversal(op, params, "batch", batch, {
      aAt: { strides: strides[0]!, offset: a.offset },
      bAt: { strides: strides[1]!, offset: b.offset },
      cAt: { strides: contiguousStrides(batch).map((stride) => stride * M * N), offset: 0 },
    });
    return { params, offsets };
  };
  const { params, offsets } = createParams();
  const vec4Aligned = (view: View, viewStrides: readonly number[]) =>
    view.offset % 4 === 0 && viewStrides.every((stride) => stride % 4 === 0);
  const along = (
    view: View,
    viewStrides: readonly number[],
    inner: number,
    outer: number,
    outerLength: number,
  ): Along => {
    if (!vec4Aligned(view, viewStrides)) return "none";
    if (inner === 1 && outer % 4 === 0 && K % 4 === 0) return "inner";
    return outer === 1 && inner % 4 === 0 && outerLength % 4 === 0 ? "outer" : "none";
  };
  const [aAlong, bAlong] = [
    along(a, strides[0]!, aInner, aOuter, M),
    along(b, strides[1]!, bInner, bOuter, N),
  ];
  const reads = [a, b, ...(bias ? [bias] : [])].map((view) => store.read(view));
  const writes = [store.write(output)];
  // With few rows, several threads share the dot product of each result, so that every weight is read once.
  if (M <= maxProductRows) {
    const make = (norm?: RowNorm): RowProduct => ({
      op,
      key: `rows:${aAlong === "inner"}:${bAlong === "inner"}:${bOuter === 1}:${!!bias}:${offsets.rank}:${dtype}${norm ? `:${norm.key}:${K}` : ""}`,
      makeParams() {
        const { params } = createParams();
        if (norm) norm.addParams(params.u32("n", K));
        return params;
      },
      text: (params, epilogues) =>
        rowsText(params, offsets.text("id.z"), {
          vec4Aligned: bAlong === "inner" && aAlong === "inner",
          rowsContiguous: bOuter === 1,
          bias: !!bias,
          dtype,
          epilogues,
          norm: norm && { ...norm, length: K },
        }),
      reads: norm ? [...norm.reads, ...reads.slice(1)] : reads,
      writes: norm ? [reads[0]!, ...writes] : writes,
      results: writes[0]!,
      groups: [Math.ceil(N / rowShape.columns), M, batches],
    });
    const fillsBuffer = a.offset === 0 && a.storage.length === M * K && aInner === 1 && aOuter === K;
    if (rowProducts) rowProducts.record(context, fillsBuffer ? reads[0] : undefined, make);
    else {
      const { text, ...rows } = make();
      engine.record({ ...rows, params, text: () => text(params, noEpilogues) });
    }
    return true;
  }
  const c4 = N % 4 === 0;
  engine.record({
    op,
    key: `matmul:${aAlong}:${bAlong}:${c4}:${!!bias}:${offsets.rank}:${dtype}`,
    text: () => tilesText(params, offsets.text("id.z"), aAlong, bAlong, c4, !!bias, dtype),
    reads,
    writes,
    params,
    groups: [Math.ceil(N / tile), Math.ceil(M / tile), batches],
  });
  return true;
}

const noEpilogues: EpiloguesText = { reads: {}, writes: {}, functions: "", statements: "" };
/** Largest number of workgroups along an axis of a grid. */
const maxWorkgroups = 65535;
/** Threads that share a dot product, and dot products per workgroup. */
const rowShape = { lanes: 8, columns: 8 };

type RowsOptions = {
  /** True if rows are read four numbers at a time. */
  readonly vec4Aligned: boolean;
  /** True if rows of b are contiguous. */
  readonly rowsContiguous: boolean;
  readonly bias: boolean;
  readonly dtype: DType;
  readonly epilogues: EpiloguesText;
  readonly norm: RowNorm | undefined;
};

function rowsText(
  params: Params,
  batchText: string,
  { vec4Aligned, rowsContiguous, bias, dtype, epilogues, norm }: RowsOptions,
): string {
  const { lanes, columns } = rowShape;
  const type = vec4Aligned ? "vec4<f32>" : "f32";
  // Neighbouring threads read neighbouring numbers: along a row of b if those are contiguous, else along a column.
  const [column, lane] =
    rowsContiguous && !vec4Aligned
      ? [`thread % ${columns}u`, `thread / ${columns}u`]
      : [`thread / ${lanes}u`, `thread % ${lanes}u`];
  const per = vec4Aligned ? 4 : 1;
  const load = (name: "a" | "b", outer: string) =>
    loadedText(
      name,
      name === "a" ? "float32" : dtype,
      `u32(${name}At) + ${outer} * p.${name}Outer + k * p.${name}Inner`,
      vec4Aligned,
    );
  const rowValue = vec4Aligned
    ? `vec4<f32>(${[0, 1, 2, 3].map((j) => `row[k + ${j}u]`).join(", ")})`
    : "row[k]";
  return withFunctions(`${params.declaration}
${bindingsText(
  {
    ...(norm ? Object.fromEntries(norm.bindings.map((name) => [name, "f32"])) : { a: type }),
    b: elementText(dtype, vec4Aligned),
    ...(bias && { addedIn: "f32" }),
    ...epilogues.reads,
  },
  { ...(norm && { a: "f32" }), c: "f32", ...epilogues.writes },
)}
${epilogues.functions}
${norm ? normRowText(norm) : ""}
var<workgroup> sums: array<f32, ${lanes * columns}>;
@compute @workgroup_size(${lanes * columns})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  ${batchText}
  let column = ${column};
  let lane = ${lane};
  let m = id.y;
  let n = id.x * ${columns}u + column;
  ${norm ? "normRow(m, thread, id.x == 0u);" : ""}
  var sum = ${type}();
  if (n < p.N) {
    for (var k = lane * ${per}u; k < p.K; k += ${lanes * per}u) { sum = fma(${norm ? rowValue : load("a", "m")}, ${load("b", "n")}, sum); }
  }
  sums[column * ${lanes}u + lane] = ${vec4Aligned ? "dot(sum, vec4<f32>(1.0))" : "sum"};
  workgroupBarrier();
  if (lane != 0u || n >= p.N) { return; }
  var all = 0.0;
  for (var i = 0u; i < ${lanes}u; i++) { all += sums[column * ${lanes}u + i]; }
  let at = u32(cAt) + m * p.N + n;
  let y = all${bias ? " + addedIn[p.addedStart + n * p.addedStep]" : ""};
  c[at] = y;
  ${epilogues.statements}
}`);
}

/** WGSL of a function that stores the normalized row m in workgroup memory and, if `stores`, in the output of the norm. */
const normRowText = ({ length, text }: RowNorm) => `var<workgroup> row: array<f32, ${Math.max(1, length)}>;
var<private> first: u32;
fn at(k: u32) -> u32 { return first + k; }
${foldText("total", "f32", rowShape.lanes * rowShape.columns, "a + b", false)}
fn normRow(m: u32, thread: u32, stores: bool) {
  first = p.xStart + m * p.K;
${text}
  workgroupBarrier();
  if (stores) { for (var k = thread; k < p.K; k += ${rowShape.lanes * rowShape.columns}u) { a[m * p.K + k] = row[k]; } }
}`;

const each = (n: number, text: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => text(i)).join("\n");

function tilesText(
  params: Params,
  batchText: string,
  a: Along,
  b: Along,
  c4: boolean,
  bias: boolean,
  dtype: DType,
): string {
  const biasAt = (n: string) => `addedIn[p.addedStart + min(${n}, p.N - 1u) * p.addedStep]`;
  const added = bias ? ` + vec4<f32>(${[0, 1, 2, 3].map((i) => biasAt(`n + ${i}u`)).join(", ")})` : "";
  return `${params.declaration}
${bindingsText(
  {
    a: elementText("float32", a !== "none"),
    b: elementText(dtype, b !== "none"),
    ...(bias && { addedIn: "f32" }),
  },
  { c: c4 ? "vec4<f32>" : "f32" },
)}
// [inner][outer / 4]
var<workgroup> aTile: array<array<vec4<f32>, ${tile / 4}>, ${depth}>;
var<workgroup> bTile: array<array<vec4<f32>, ${tile / 4}>, ${depth}>;
${operandText("a", a, "float32")}
${operandText("b", b, dtype)}
fn store(at: u32, n: u32, sum: vec4<f32>) {
  let y = sum${added};
  ${
    c4
      ? "if (n < p.N) { c[(at + n) / 4u] = y; }"
      : each(4, (i) => `if (n + ${i}u < p.N) { c[at + n + ${i}u] = y[${i}]; }`)
  }
}
@compute @workgroup_size(${side * side})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  ${batchText}
  let row = id.y * ${tile}u;
  let column = id.x * ${tile}u;
  let ty = thread / ${side}u;
  let tx = thread % ${side}u;
  ${each(block * parts, (i) => `var sum${i} = vec4<f32>();`)}
  for (var k = 0u; k < p.K; k += ${depth}u) {
    ${loadText("a", a, "row", "p.M")}
    ${loadText("b", b, "column", "p.N")}
    workgroupBarrier();
    for (var q = 0u; q < ${depth}u; q++) {
      ${each(parts, (i) => `let a${i} = aTile[q][ty + ${i * side}u];\nlet b${i} = bTile[q][tx + ${i * side}u];`)}
      ${each(block, (r) =>
        each(parts, (j) => {
          const sum = `sum${r * parts + j}`;
          return `${sum} = fma(vec4<f32>(a${Math.floor(r / 4)}[${r % 4}]), b${j}, ${sum});`;
        }),
      )}
    }
    workgroupBarrier();
  }
  ${each(
    block,
    (r) => `{
    let m = row + (ty + ${Math.floor(r / 4) * side}u) * 4u + ${r % 4}u;
    if (m < p.M) {
      ${each(parts, (j) => `store(u32(cAt) + m * p.N, column + (tx + ${j * side}u) * 4u, sum${r * parts + j});`)}
    }
  }`,
  )}
}`;
}

/** WGSL type of an operand's elements: numbers, or vec4s of them. */
function elementText(dtype: DType, vec4Aligned: boolean): string {
  const word = arrayType(dtype);
  return vec4Aligned ? (dtype === "float32" ? "vec4<f32>" : "vec2<u32>") : word;
}

/** WGSL that reads the number of an operand at `index`, or the four from there on, as floats. */
function loadedText(name: "a" | "b", dtype: DType, index: string, vec4Aligned: boolean): string {
  return vec4Aligned ? vec4At(name, dtype, index) : numberAt(name, dtype, index);
}

/** WGSL that loads a tile of an operand: each thread four by four numbers, neighbouring ones along the contiguous axis. */
function loadText(name: "a" | "b", along: Along, start: string, end: string): string {
  const place =
    along === "outer"
      ? `let o = i % ${tile / 4}u; let q = i / ${tile / 4}u;`
      : `let q = i % ${depth / 4}u; let o = i / ${depth / 4}u;`;
  return `for (var i = thread; i < ${(tile / 4) * (depth / 4)}u; i += ${side * side}u) {
      ${place}
      let four = ${name}Block(${start} + o * 4u, k + q * 4u, u32(${name}At), ${end});
      ${each(4, (j) => `${name}Tile[q * 4u + ${j}u][o] = four[${j}];`)}
    }`;
}

/** WGSL of a function that reads four vec4s along the outer axis, for four consecutive inner indices; 0 outside of the matrix. */
function operandText(name: "a" | "b", along: Along, dtype: DType): string {
  const [outer, inner] = [`p.${name}Outer`, `p.${name}Inner`];
  const line = (n: number, inside: string, index: string) =>
    `if (${inside}) { m[${n}] = ${loadedText(name, dtype, index, true)}; }`;
  const lines = {
    outer: each(4, (j) => line(j, `o < end && k + ${j}u < p.K`, `at + (k + ${j}u) * ${inner} + o`)),
    inner: each(4, (i) => line(i, `o + ${i}u < end && k < p.K`, `at + (o + ${i}u) * ${outer} + k`)),
    none: each(4, (j) => {
      const number = (i: number) =>
        `select(0.0, ${loadedText(name, dtype, `at + min(o + ${i}u, end - 1u) * ${outer} + min(k + ${j}u, p.K - 1u) * ${inner}`, false)}, o + ${i}u < end && k + ${j}u < p.K)`;
      return `m[${j}] = vec4<f32>(${[0, 1, 2, 3].map(number).join(", ")});`;
    }),
  }[along];
  return `fn ${name}Block(o: u32, k: u32, at: u32, end: u32) -> mat4x4<f32> {
  var m = mat4x4<f32>();
  ${lines}
  return ${along === "inner" ? "transpose(m)" : "m"};
}`;
}
