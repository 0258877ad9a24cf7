// Sums, means, maxima and minima along an axis of a contiguous tensor [outer, n, inner]. Blocks are summed in float32, and the sums of
// blocks in float64, so that sums over long axes stay accurate.
import { zero } from "./lanes";

/** Length of a block that is summed in float32. */
const BLOCK: i32 = 256;

/** Sums of rows (inner = 1), times `factor`. A work item is `step` rows. */
export function sumRows(
  item: i32,
  scratch: usize,
  x: usize,
  y: usize,
  rows: i32,
  step: i32,
  n: i32,
  factor: f64,
): void {
  const last = min(rows, (item + 1) * step);
  const vectors = n & ~3;
  for (let r = item * step; r < last; r++) {
    const row = x + ((<usize>r * <usize>n) << 2);
    let sum: f64 = 0;
    for (let k = 0; k < vectors;) {
      const end = min(vectors, k + BLOCK);
      let s0 = zero();
      let s1 = zero();
      for (; k + 8 <= end; k += 8) {
        s0 = f32x4.add(s0, v128.load(row + ((<usize>k) << 2)));
        s1 = f32x4.add(s1, v128.load(row + ((<usize>k) << 2), 16));
      }
      for (; k < end; k += 4) s0 = f32x4.add(s0, v128.load(row + ((<usize>k) << 2)));
      const sums = f32x4.add(s0, s1);
      const low = f64x2.promote_low_f32x4(sums);
      const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(sums, sums, 2, 3, 2, 3));
      const pair = f64x2.add(low, high);
      sum += f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
    }
    for (let k = vectors; k < n; k++) sum += <f64>load<f32>(row + ((<usize>k) << 2));
    store<f32>(y + ((<usize>r) << 2), <f32>(sum * factor));
  }
}

/** Sums of columns. A work item is up to 64 adjacent columns of one outer index. */
export function sumColumns(
  item: i32,
  scratch: usize,
  x: usize,
  y: usize,
  n: i32,
  inner: i32,
  factor: f64,
): void {
  const columnBlocks = (inner + 63) >> 6;
  const outer = item / columnBlocks;
  const first = (item % columnBlocks) << 6;
  const count = min(64, inner - first);
  const vectors = count & ~3;
  const from = x + ((<usize>outer * <usize>n * <usize>inner + <usize>first) << 2);
  const to = y + ((<usize>outer * <usize>inner + <usize>first) << 2);
  const stride = (<usize>inner) << 2;
  memory.fill(scratch, 0, 512);
  for (let k = 0; k < n; k += BLOCK) {
    const end = min(n, k + BLOCK);
    let c = 0;
    for (; c + 16 <= count; c += 16) {
      let at = from + <usize>k * stride + ((<usize>c) << 2);
      let s0 = zero();
      let s1 = zero();
      let s2 = zero();
      let s3 = zero();
      for (let i = k; i < end; i++, at += stride) {
        s0 = f32x4.add(s0, v128.load(at));
        s1 = f32x4.add(s1, v128.load(at, 16));
        s2 = f32x4.add(s2, v128.load(at, 32));
        s3 = f32x4.add(s3, v128.load(at, 48));
      }
      addTo(scratch + ((<usize>c) << 3), s0);
      addTo(scratch + ((<usize>c) << 3) + 32, s1);
      addTo(scratch + ((<usize>c) << 3) + 64, s2);
      addTo(scratch + ((<usize>c) << 3) + 96, s3);
    }
    for (; c < vectors; c += 4) {
      let at = from + <usize>k * stride + ((<usize>c) << 2);
      let s = zero();
      for (let i = k; i < end; i++, at += stride) s = f32x4.add(s, v128.load(at));
      addTo(scratch + ((<usize>c) << 3), s);
    }
    for (; c < count; c++) {
      let at = from + <usize>k * stride + ((<usize>c) << 2);
      let s: f64 = 0;
      for (let i = k; i < end; i++, at += stride) s += <f64>load<f32>(at);
      store<f64>(scratch + ((<usize>c) << 3), load<f64>(scratch + ((<usize>c) << 3)) + s);
    }
  }
  for (let c = 0; c < count; c++) {
    store<f32>(to + ((<usize>c) << 2), <f32>(load<f64>(scratch + ((<usize>c) << 3)) * factor));
  }
}

/** Adds four float32 numbers to four sums in float64. */
@inline
function addTo(sums: usize, x: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(x)));
  const high = v128.shuffle<i32>(x, x, 2, 3, 2, 3);
  v128.store(sums + 16, f64x2.add(v128.load(sums + 16), f64x2.promote_low_f32x4(high)));
}

/** Maximum of each row, or with `sign` -1 the minimum; NaN if a number is NaN. A work item is `step` rows. */
export function largestRows(
  item: i32,
  scratch: usize,
  x: usize,
  y: usize,
  rows: i32,
  step: i32,
  n: i32,
  sign: f32,
): void {
  const last = min(rows, (item + 1) * step);
  const signs = f32x4.splat(sign);
  for (let r = item * step; r < last; r++) {
    const row = x + ((<usize>r * <usize>n) << 2);
    const vectors = (<usize>(n & ~3)) << 2;
    let maxima = f32x4.splat(-Infinity);
    for (let i: usize = 0; i < vectors; i += 16)
      maxima = f32x4.max(maxima, f32x4.mul(signs, v128.load(row + i)));
    maxima = f32x4.max(maxima, v128.shuffle<i32>(maxima, maxima, 2, 3, 0, 1));
    let largest = max<f32>(f32x4.extract_lane(maxima, 0), f32x4.extract_lane(maxima, 1));
    for (let i = vectors; i < (<usize>n) << 2; i += 4) largest = max<f32>(largest, sign * load<f32>(row + i));
    store<f32>(y + ((<usize>r) << 2), sign * largest);
  }
}

/** Maximum or minimum of columns. A work item is up to 64 adjacent columns of one outer index. */
export function largestColumns(
  item: i32,
  scratch: usize,
  x: usize,
  y: usize,
  n: i32,
  inner: i32,
  sign: f32,
): void {
  const columnBlocks = (inner + 63) >> 6;
  const outer = item / columnBlocks;
  const first = (item % columnBlocks) << 6;
  const count = min(64, inner - first);
  const from = x + ((<usize>outer * <usize>n * <usize>inner + <usize>first) << 2);
  const to = y + ((<usize>outer * <usize>inner + <usize>first) << 2);
  for (let c = 0; c < count; c += 4) {
    let at = from + ((<usize>c) << 2);
    if (c + 4 <= count) {
      const signs = f32x4.splat(sign);
      let maxima = f32x4.splat(-Infinity);
      for (let i = 0; i < n; i++, at += (<usize>inner) << 2)
        maxima = f32x4.max(maxima, f32x4.mul(signs, v128.load(at)));
      v128.store(to + ((<usize>c) << 2), f32x4.mul(signs, maxima));
      continue;
    }
    for (let d = c; d < count; d++) {
      let largest: f32 = -Infinity;
      for (let i = 0; i < n; i++) {
        largest = max<f32>(largest, sign * load<f32>(from + ((<usize>i * <usize>inner + <usize>d) << 2)));
      }
      store<f32>(to + ((<usize>d) << 2), sign * largest);
    }
  }
}
