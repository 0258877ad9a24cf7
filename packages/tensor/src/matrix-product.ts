import { broadcastShapes, eachBroadcastRow, type Shape, sizeOf, type TypedArray } from "@qkv/core";
import type { View } from "./contracts.js";
import type { Op } from "./op.js";

/** The product of matrices, or of batches of them, with matching shapes. It has no gradient: ops with their own use it. */
export const matrixProduct: Op<undefined> = {
  name: "matmul",
  infer: ([a, b]) => {
    const batch = broadcastShapes("matmul", outer(a!.shape), outer(b!.shape));
    return [{ shape: [...batch, a!.shape.at(-2)!, b!.shape.at(-1)!], dtype: a!.dtype }];
  },
  kernel([a, b], [out]) {
    const [M, K] = a!.shape.slice(-2) as [number, number];
    const N = b!.shape.at(-1)!;
    const batch = outer(out!.shape);
    const multiply = M < 4 ? multiplyRows : multiplyPanels;
    const batches = [out!, a!, b!].map(({ shape, strides, offset }) => ({
      shape: outer(shape),
      strides: outer(strides),
      offset,
    }));
    eachBroadcastRow(batch, batches, (at, step, length) => {
      for (let n = 0; n < length; n++) {
        const [o, i, j] = at.map((from, side) => from + n * step[side]!) as [number, number, number];
        multiply(out!.array, o, a!, i, b!, j, M, K, N);
      }
    });
  },
  flops: ([a], [y]) => 2 * sizeOf(y!.shape) * a!.shape.at(-1)!,
};

/** The axes before the last two. */
function outer(list: Shape): Shape {
  return list.slice(0, -2);
}

/** Strides of rows and of columns. */
function matrixStrides({ strides }: View): [number, number] {
  return strides.slice(-2) as [number, number];
}

/** Computes a product `[M, N]` of `[M, K]` and `[K, N]`, given their offsets. */
type Product = (
  out: TypedArray,
  o: number,
  a: View,
  i: number,
  b: View,
  j: number,
  M: number,
  K: number,
  N: number,
) => void;

/** The product of few rows: four columns at a time, read in place. */
const multiplyRows: Product = (out, o, a, i, b, j, M, K, N) => {
  const [A, B] = [a.array, b.array];
  const [am, ak] = matrixStrides(a);
  const [bk, bn] = matrixStrides(b);
  for (let m = 0; m < M; m++, o += N) {
    const start = i + m * am;
    let n = 0;
    for (; n + 4 <= N; n += 4) {
      const j0 = j + n * bn;
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
      for (let k = 0; k < K; k++) s += A[start + k * ak]! * B[j + k * bk + n * bn]!;
      out[o + n] = s;
    }
  }
};

/** The product of many rows: both operands are packed as float64 in panels of four, and blocks of 4 × 4 sums stay in registers. */
const multiplyPanels: Product = (out, o, a, i, b, j, M, K, N) => {
  const [am, ak] = matrixStrides(a);
  const [bk, bn] = matrixStrides(b);
  const rows = new Float64Array(Math.ceil(M / 4) * 4 * K);
  for (let m = 0; m < M; m += 4) {
    packPanel(rows, m * K, a.array, i + m * am, am, ak, Math.min(4, M - m), K);
  }
  const panel = new Float64Array(K * 4);
  for (let n = 0; n < N; n += 4) {
    const width = Math.min(4, N - n);
    packPanel(panel, 0, b.array, j + n * bn, bn, bk, width, K);
    for (let m = 0; m < M; m += 4) {
      const height = Math.min(4, M - m);
      multiplyBlock(out, o + m * N + n, N, rows, m * K, panel, K, height, width);
    }
  }
};

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
  // Numbers beyond `count` are undefined: they are multiplied, but not stored.
  for (let r = 0; r < count; r++) {
    for (let k = 0; k < K; k++) to[start + k * 4 + r] = from[at + r * step + k * along]!;
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
  // Variables instead of an array, so that each sum stays in a register.
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
  const sums = [s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33];
  for (let m = 0; m < height; m++) for (let n = 0; n < width; n++) out[o + m * N + n] = sums[m * 4 + n]!;
}
