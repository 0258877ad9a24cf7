import { ShapeError } from "@qkv/core";
import type { TypedArray } from "../dtype.js";
import { checkTensor, run, type Op } from "../op.js";
import { eachRow } from "../rows.js";
import { broadcastShapes, broadcastStrides, sizeOf, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { transpose } from "./permute.js";
import { reshape } from "./reshape.js";
import { sumTo } from "./sum-to.js";

export const matmulOp: Op<undefined> = {
  name: "matmul",
  infer: ([a, b]) => [
    { shape: [...batchShape(a!.shape, b!.shape), a!.shape.at(-2)!, b!.shape.at(-1)!], dtype: a!.dtype },
  ],
  kernel([a, b], [out]) {
    const [M, K] = a!.shape.slice(-2) as [number, number];
    const N = b!.shape.at(-1)!;
    const batch = out!.shape.slice(0, -2);
    const [am, ak] = a!.strides.slice(-2) as [number, number];
    const [bk, bn] = b!.strides.slice(-2) as [number, number];
    const multiply = M < 4 ? multiplyRows : multiplyPanels;
    const strides = [a!, b!].map((side) =>
      broadcastStrides(batch, side.shape.slice(0, -2), side.strides.slice(0, -2)),
    );
    const outStrides = out!.strides.slice(0, -2);
    eachRow(batch, [outStrides, ...strides], [0, a!.offset, b!.offset], ([o, i, j], [dO, dI, dJ], length) => {
      for (let n = 0; n < length; n++) {
        const left = { array: a!.array, at: i! + n * dI!, row: am, column: ak };
        const right = { array: b!.array, at: j! + n * dJ!, row: bk, column: bn };
        multiply(out!.array, o! + n * dO!, left, right, M, K, N);
      }
    });
  },
  flops: ([a], [y]) => 2 * sizeOf(y!.shape) * a!.shape.at(-1)!,
  backward: ({ inputs: [a, b], gradients: [dy], wants }) => [
    wants(0) ? sumTo(matmul(dy!, transpose(b!)), a!.shape) : undefined,
    wants(1) ? sumTo(matmul(transpose(a!), dy!), b!.shape) : undefined,
  ],
};

/**
 * The matrix product of the last two axes: `[…, M, K]` times `[…, K, N]` gives `[…, M, N]`. Axes before them are a
 * batch and broadcast. A vector at the left counts as one row, at the right as one column, and its axis is dropped,
 * as in numpy.
 *
 * Each number is the sum of its K products in order, in float64, whatever M and N are, so a row computed alone
 * equals the same row computed among others, bit for bit.
 *
 * @throws {ShapeError} If the inner lengths differ or the batches do not broadcast.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from "@qkv/tensor";
 *
 * matmul(tensor([[1, 2], [3, 4]]), tensor([[1], [10]])).toNested(); // => [[21], [43]]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const left = checkTensor("matmul", "a", a).shape;
  const right = checkTensor("matmul", "b", b).shape;
  if (left.length === 0) throw scalar("a");
  if (right.length === 0) throw scalar("b");
  const K = left.at(-1)!;
  const inner = right.length === 1 ? right[0]! : right.at(-2)!;
  if (K !== inner || a.dtype !== b.dtype) {
    throw new ShapeError({
      fn: "matmul",
      argument: "b",
      received: a.dtype === b.dtype ? right : b.dtype,
      expected:
        a.dtype === b.dtype
          ? `${right.length === 1 ? `[${K}]` : `[…, ${K}, N]`}, as a is [${left.join(", ")}]`
          : `${a.dtype} like a`,
      fix:
        a.dtype === b.dtype
          ? "the last axis of a and the last but one of b are summed over: transpose one side if it is the other way round."
          : "use `cast(x, dtype)` on one side.",
    });
  }
  if (right.length === 1) return dropAxis(matmul(a, reshape(b, [K, 1])), -1);
  if (left.length === 1) return dropAxis(matmul(reshape(a, [1, K]), b), -2);
  // A plain matrix at the right takes all rows of the left at once.
  if (right.length === 2 && left.length > 2) {
    const rows = run(matmulOp, [reshape(a, [sizeOf(left.slice(0, -1)), K]), b], undefined);
    return reshape(rows, [...left.slice(0, -1), right[1]!]);
  }
  return run(matmulOp, [a, b], undefined);
}

function batchShape(a: Shape, b: Shape): Shape {
  return broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2));
}

function dropAxis(x: Tensor, axis: -1 | -2): Tensor {
  return reshape(
    x,
    x.shape.filter((_, i) => i !== x.shape.length + axis),
  );
}

function scalar(argument: string): ShapeError {
  return new ShapeError({
    fn: "matmul",
    argument,
    received: [],
    expected: "a matrix or a vector",
    fix: "use `mul` to multiply by a single number.",
  });
}

type Matrix = { array: TypedArray; at: number; row: number; column: number };

/** Few rows: four columns at a time, read where they lie. */
function multiplyRows(
  out: TypedArray,
  o: number,
  a: Matrix,
  b: Matrix,
  M: number,
  K: number,
  N: number,
): void {
  const { array: A, column: ak } = a;
  const { array: B, row: bk, column: bn } = b;
  for (let m = 0; m < M; m++, o += N) {
    const start = a.at + m * a.row;
    let n = 0;
    for (; n + 4 <= N; n += 4) {
      const j0 = b.at + n * bn;
      const j1 = j0 + bn;
      const j2 = j1 + bn;
      const j3 = j2 + bn;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let k = 0; k < K; k++) {
        const x = A[start + k * ak]!;
        const at = k * bk;
        s0 += x * B[j0 + at]!;
        s1 += x * B[j1 + at]!;
        s2 += x * B[j2 + at]!;
        s3 += x * B[j3 + at]!;
      }
      out[o + n] = s0;
      out[o + n + 1] = s1;
      out[o + n + 2] = s2;
      out[o + n + 3] = s3;
    }
    for (; n < N; n++) {
      let s = 0;
      for (let k = 0; k < K; k++) s += A[start + k * ak]! * B[b.at + k * bk + n * bn]!;
      out[o + n] = s;
    }
  }
}

/** Many rows: both sides packed as float64 in panels of four, then blocks of 4 × 4 sums held in registers. */
function multiplyPanels(
  out: TypedArray,
  o: number,
  a: Matrix,
  b: Matrix,
  M: number,
  K: number,
  N: number,
): void {
  const rows = packPanels(a.array, a.at, a.row, a.column, M, K);
  const panel = new Float64Array(K * 4);
  for (let n = 0; n < N; n += 4) {
    const width = Math.min(4, N - n);
    packPanel(panel, 0, b.array, b.at + n * b.column, b.column, b.row, width, K);
    for (let m = 0; m < M; m += 4) {
      const height = Math.min(4, M - m);
      multiplyBlock(out, o + m * N + n, N, rows, m * K, panel, K, height, width);
    }
  }
}

function packPanels(
  from: TypedArray,
  at: number,
  step: number,
  along: number,
  count: number,
  K: number,
): Float64Array {
  const panels = new Float64Array(Math.ceil(count / 4) * 4 * K);
  for (let m = 0; m < count; m += 4) {
    packPanel(panels, m * K, from, at + m * step, step, along, Math.min(4, count - m), K);
  }
  return panels;
}

function packPanel(
  to: Float64Array,
  start: number,
  from: TypedArray,
  at: number,
  step: number,
  along: number,
  count: number,
  K: number,
): void {
  for (let r = 0; r < 4; r++) {
    if (r < count) for (let k = 0; k < K; k++) to[start + k * 4 + r] = from[at + r * step + k * along]!;
    else for (let k = 0; k < K; k++) to[start + k * 4 + r] = 0;
  }
}

function multiplyBlock(
  out: TypedArray,
  o: number,
  N: number,
  a: Float64Array,
  i: number,
  b: Float64Array,
  K: number,
  height: number,
  width: number,
): void {
  let [s00, s01, s02, s03, s10, s11, s12, s13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [s20, s21, s22, s23, s30, s31, s32, s33] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = 0, end = K * 4; k < end; k += 4) {
    const b0 = b[k]!;
    const b1 = b[k + 1]!;
    const b2 = b[k + 2]!;
    const b3 = b[k + 3]!;
    const a0 = a[i + k]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = a[i + k + 1]!;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = a[i + k + 2]!;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = a[i + k + 3]!;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
  }
  storeRow(out, o, width, s00, s01, s02, s03);
  if (height > 1) storeRow(out, o + N, width, s10, s11, s12, s13);
  if (height > 2) storeRow(out, o + 2 * N, width, s20, s21, s22, s23);
  if (height > 3) storeRow(out, o + 3 * N, width, s30, s31, s32, s33);
}

function storeRow(
  out: TypedArray,
  o: number,
  width: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
): void {
  out[o] = s0;
  if (width > 1) out[o + 1] = s1;
  if (width > 2) out[o + 2] = s2;
  if (width > 3) out[o + 3] = s3;
}
