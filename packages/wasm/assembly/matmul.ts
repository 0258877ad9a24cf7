// c[M × N] = a[M × K] · b[K × N], both sides read with any strides (in numbers) and packed block by block.
import { madd, sumOf, zero } from "./lanes";
import { product4, product6 } from "./micro-kernels";

/** Rows of a block: what 16 registers hold depends on whether a product and a sum are one instruction. */
const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
/** Length of the summed axis taken at a time, and rows of `a` packed at a time: both fit a core's own cache. */
const DEPTH: i32 = 512;
const HEIGHT: i32 = 96;

/** Bytes of scratch that `matmul` needs. */
export function matmulScratch(N: i32, K: i32): i32 {
  const depth = min(K, DEPTH);
  return (HEIGHT * depth + ((N + 7) & ~7) * depth + ROWS * 8) * 4;
}

export function matmul(
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bRow: i32,
  bColumn: i32,
  c: usize,
  M: i32,
  N: i32,
  K: i32,
  scratch: usize,
): void {
  const panels = (N + 7) >> 3;
  const depth = min(K, DEPTH);
  const packedB = scratch;
  const packedA = packedB + ((<usize>(panels << 3) * <usize>depth) << 2);
  const edge = packedA + ((<usize>HEIGHT * <usize>depth) << 2);
  for (let k0 = 0; k0 < K; k0 += DEPTH) {
    const k = min(DEPTH, K - k0);
    for (let p = 0; p < panels; p++) {
      const from = b + ((<usize>k0 * <usize>bRow + <usize>(p << 3) * <usize>bColumn) << 2);
      packColumns(from, bRow, bColumn, min(8, N - (p << 3)), k, packedB + ((<usize>p * <usize>k) << 5));
    }
    for (let m0 = 0; m0 < M; m0 += HEIGHT) {
      const height = min(HEIGHT, M - m0);
      for (let m = 0; m < height; m += ROWS) {
        const from = a + ((<usize>(m0 + m) * <usize>aRow + <usize>k0 * <usize>aColumn) << 2);
        packRows(from, aRow, aColumn, min(ROWS, height - m), k, packedA + ((<usize>m * <usize>k) << 2));
      }
      for (let p = 0; p < panels; p++) {
        const panel = packedB + ((<usize>p * <usize>k) << 5);
        const width = min(8, N - (p << 3));
        for (let m = 0; m < height; m += ROWS) {
          const rows = min(ROWS, height - m);
          const block = packedA + ((<usize>m * <usize>k) << 2);
          const to = c + ((<usize>(m0 + m) * <usize>N + <usize>(p << 3)) << 2);
          if (rows == ROWS && width == 8) {
            full(block, panel, k, to, <usize>N << 2, k0 > 0);
          } else {
            full(block, panel, k, edge, 32, false);
            for (let i = 0; i < rows; i++) {
              for (let j = 0; j < width; j++) {
                const at = to + ((<usize>i * <usize>N + <usize>j) << 2);
                const value = load<f32>(edge + ((<usize>i << 3) + <usize>j << 2));
                store<f32>(at, k0 > 0 ? load<f32>(at) + value : value);
              }
            }
          }
        }
      }
    }
  }
}

@inline
function full(a: usize, b: usize, k: i32, c: usize, stride: usize, add: bool): void {
  if (ASC_FEATURE_RELAXED_SIMD) product6(a, b, k, c, stride, add);
  else product4(a, b, k, c, stride, add);
}

/** Eight columns as [k][8], zeros where there are fewer. */
function packColumns(from: usize, row: i32, column: i32, width: i32, k: i32, to: usize): void {
  const step = <usize>row << 2;
  if (width == 8 && column == 1) {
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += step;
      to += 32;
    }
    return;
  }
  for (let j = 0; j < 8; j++) {
    let source = from + ((<usize>j * <usize>column) << 2);
    let target = to + (<usize>j << 2);
    for (let i = 0; i < k; i++) {
      store<f32>(target, j < width ? load<f32>(source) : 0);
      source += step;
      target += 32;
    }
  }
}

/** ROWS rows as [k][ROWS], zeros where there are fewer. */
function packRows(from: usize, row: i32, column: i32, height: i32, k: i32, to: usize): void {
  const step = <usize>column << 2;
  for (let r = 0; r < ROWS; r++) {
    let source = from + ((<usize>r * <usize>row) << 2);
    let target = to + (<usize>r << 2);
    for (let i = 0; i < k; i++) {
      store<f32>(target, r < height ? load<f32>(source) : 0);
      source += step;
      target += ROWS << 2;
    }
  }
}

/**
 * c[N] = x[K] · b, where each column of b lies in one piece (a weight [N, K] read the other way round): its rows stream
 * past once, four at a time.
 */
export function rowTimesColumns(x: usize, b: usize, bColumn: i32, c: usize, N: i32, K: i32): void {
  const step = <usize>bColumn << 2;
  const vectors = <usize>(K & ~3) << 2;
  for (let n = 0; n < N; n += 4) {
    const left = N - n;
    const b0 = b + <usize>n * step;
    const b1 = left > 1 ? b0 + step : b0;
    const b2 = left > 2 ? b1 + step : b0;
    const b3 = left > 3 ? b2 + step : b0;
    let s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
    for (let i: usize = 0; i < vectors; i += 16) {
      const v = v128.load(x + i);
      s0 = madd(v, v128.load(b0 + i), s0);
      s1 = madd(v, v128.load(b1 + i), s1);
      s2 = madd(v, v128.load(b2 + i), s2);
      s3 = madd(v, v128.load(b3 + i), s3);
    }
    let t0 = sumOf(s0), t1 = sumOf(s1), t2 = sumOf(s2), t3 = sumOf(s3);
    for (let i = vectors; i < <usize>K << 2; i += 4) {
      const v = load<f32>(x + i);
      t0 += v * load<f32>(b0 + i);
      t1 += v * load<f32>(b1 + i);
      t2 += v * load<f32>(b2 + i);
      t3 += v * load<f32>(b3 + i);
    }
    const to = c + (<usize>n << 2);
    store<f32>(to, t0);
    if (left > 1) store<f32>(to, t1, 4);
    if (left > 2) store<f32>(to, t2, 8);
    if (left > 3) store<f32>(to, t3, 12);
  }
}

/** c[N] = x[K] · b, where each row of b lies in one piece: the row is added up, scaled by its number of x. */
export function rowTimesRows(x: usize, b: usize, bRow: i32, c: usize, N: i32, K: i32): void {
  memory.fill(c, 0, <usize>N << 2);
  const vectors = <usize>(N & ~3) << 2;
  for (let k = 0; k < K; k++) {
    const v = load<f32>(x + (<usize>k << 2));
    const splat = f32x4.splat(v);
    const row = b + ((<usize>k * <usize>bRow) << 2);
    for (let i: usize = 0; i < vectors; i += 16) v128.store(c + i, madd(splat, v128.load(row + i), v128.load(c + i)));
    for (let i = vectors; i < <usize>N << 2; i += 4) store<f32>(c + i, load<f32>(c + i) + v * load<f32>(row + i));
  }
}


