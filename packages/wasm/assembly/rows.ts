// Functions of the rows of a contiguous matrix. A work item is `step` rows.
import { exp4, maxIn, fma, exp4WithConstants, expConstants, sumLanes, zero } from "./lanes";

/** Number of exponentials of a row that are computed before as many numbers of the next row are compared. */
const INTERLEAVED: i32 = 256;

/**
 * Softmax of each row: e^(x - largest) / sum. The maximum of the next row is computed interleaved with the exponentials of this
 * row, so that memory is read during the computation.
 */
export function softmaxRows(
  item: i32,
  scratch: usize,
  x: usize,
  y: usize,
  rows: i32,
  step: i32,
  n: i32,
): void {
  const bytes = (<usize>n) << 2;
  x += <usize>(item * step) * bytes;
  y += <usize>(item * step) * bytes;
  let largest = maxIn(x, n);
  for (let left = min(step, rows - item * step); left > 0; left--, x += bytes, y += bytes) {
    const isNonFinite = largest - largest != 0;
    let sum: f32 = 0;
    let nextLargest: f32 = -Infinity;
    for (let i = 0; i < n; i += INTERLEAVED) {
      const at = (<usize>i) << 2;
      const count = min(INTERLEAVED, n - i);
      if (!isNonFinite) sum += exponentials(x + at, y + at, count, largest);
      if (left > 1) nextLargest = max<f32>(nextLargest, maxIn(x + bytes + at, count));
    }
    if (isNonFinite) nonFiniteRow(x, y, largest, bytes);
    else divideBySum(y, n, sum);
    largest = nextLargest;
  }
}

/** y = e^(x - largest) for some numbers. Returns their sum. */
function exponentials(x: usize, y: usize, count: i32, largest: f32): f32 {
  const constants = expConstants;
  const log2e = v128.load(constants);
  const minExponent = v128.load(constants, 16);
  const rounding = v128.load(constants, 32);
  const c5 = v128.load(constants, 48);
  const c4 = v128.load(constants, 64);
  const c3 = v128.load(constants, 80);
  const c2 = v128.load(constants, 96);
  const c1 = v128.load(constants, 112);
  const c0 = v128.load(constants, 128);
  const subtrahend = f32x4.splat(largest);
  const end = x + ((<usize>count) << 2);
  let sums = zero();
  for (const last = x + ((<usize>(count & ~3)) << 2); x < last; x += 16, y += 16) {
    const power = exp4WithConstants(
      f32x4.sub(v128.load(x), subtrahend),
      log2e,
      minExponent,
      rounding,
      c5,
      c4,
      c3,
      c2,
      c1,
      c0,
    );
    v128.store(y, power);
    sums = f32x4.add(sums, power);
  }
  let sum = sumLanes(sums);
  for (; x < end; x += 4, y += 4) {
    const difference = f32x4.sub(v128.load32_splat(x), subtrahend);
    const power = f32x4.extract_lane(
      exp4WithConstants(difference, log2e, minExponent, rounding, c5, c4, c3, c2, c1, c0),
      0,
    );
    store<f32>(y, power);
    sum += power;
  }
  return sum;
}

/** y / sum */
function divideBySum(y: usize, n: i32, sum: f32): void {
  const by = f32x4.splat(1 / sum);
  const end = y + ((<usize>n) << 2);
  for (const last = y + ((<usize>(n & ~3)) << 2); y < last; y += 16)
    v128.store(y, f32x4.mul(v128.load(y), by));
  for (; y < end; y += 4) store<f32>(y, load<f32>(y) / sum);
}

/** A row with NaN or infinity, or only with -infinity, number by number. */
function nonFiniteRow(x: usize, y: usize, largest: f32, bytes: usize): void {
  let sum: f32 = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    const power = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(x + i) - largest)), 0);
    store<f32>(y + i, power);
    sum += power;
  }
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) / sum);
}

/** RMS norm: x / √(mean x² + eps) · weight. Returns 1 if a sum of squares is not finite. */
export function rmsNormRows(
  item: i32,
  scratch: usize,
  x: usize,
  weight: usize,
  y: usize,
  rows: i32,
  step: i32,
  n: i32,
  eps: f32,
): i32 {
  const from = (<usize>(item * step) * <usize>n) << 2;
  x += from;
  y += from;
  rows = min(step, rows - item * step);
  const bytes = (<usize>n) << 2;
  const pairs = (<usize>(n & ~7)) << 2;
  const vectors = (<usize>(n & ~3)) << 2;
  for (let r = 0; r < rows; r++) {
    let s0 = zero();
    let s1 = zero();
    for (let i: usize = 0; i < pairs; i += 32) {
      const a = v128.load(x + i);
      const b = v128.load(x + i, 16);
      s0 = fma(a, a, s0);
      s1 = fma(b, b, s1);
    }
    let sum = sumLanes(f32x4.add(s0, s1));
    for (let i = pairs; i < bytes; i += 4) sum += load<f32>(x + i) * load<f32>(x + i);
    if (sum - sum != 0) return 1;
    const scale: f32 = 1 / sqrt<f32>(sum / <f32>n + eps);
    const splat = f32x4.splat(scale);
    for (let i: usize = 0; i < vectors; i += 16) {
      v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), splat), v128.load(weight + i)));
    }
    for (let i = vectors; i < bytes; i += 4)
      store<f32>(y + i, load<f32>(x + i) * scale * load<f32>(weight + i));
    x += bytes;
    y += bytes;
  }
  return 0;
}

/** Results of `sumDistances`: the pivot of a row, the sum of the distances from it, and that of their squares. */
let foundPivot: f32 = 0;
let distances: f64 = 0;
let squares: f64 = 0;
/** Results of `standardize`: (x - pivot) · scale + shift has mean 0 and variance 1. */
let foundScale: f32 = 0;
let foundShift: f32 = 0;

/** Sums over a row of distances from `pivot`, and of their squares. */
function sumDistances(x: usize, n: i32, pivot: f32): void {
  const pivots = f32x4.splat(pivot);
  let d0 = zero();
  let d1 = zero();
  let d2 = zero();
  let d3 = zero();
  let q0 = zero();
  let q1 = zero();
  let q2 = zero();
  let q3 = zero();
  const end = x + ((<usize>n) << 2);
  for (const last = x + ((<usize>(n & ~15)) << 2); x < last; x += 64) {
    const a = f32x4.sub(v128.load(x), pivots);
    const b = f32x4.sub(v128.load(x, 16), pivots);
    const c = f32x4.sub(v128.load(x, 32), pivots);
    const d = f32x4.sub(v128.load(x, 48), pivots);
    d0 = f32x4.add(d0, a);
    d1 = f32x4.add(d1, b);
    d2 = f32x4.add(d2, c);
    d3 = f32x4.add(d3, d);
    q0 = fma(a, a, q0);
    q1 = fma(b, b, q1);
    q2 = fma(c, c, q2);
    q3 = fma(d, d, q3);
  }
  let d = sumLanes(f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3)));
  let q = sumLanes(f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
  for (; x < end; x += 4) {
    const distance = load<f32>(x) - pivot;
    d += distance;
    q += distance * distance;
  }
  foundPivot = pivot;
  distances = <f64>d;
  squares = <f64>q;
}

/**
 * Computes mean and variance of a row in one pass, from distances to the mean of its first numbers; in a second pass from distances
 * to the mean if that was too far off for accuracy. Returns true if the sum of squares is finite.
 */
function standardize(x: usize, n: i32, eps: f32): bool {
  sumDistances(x, n, n < 4 ? load<f32>(x) : sumLanes(v128.load(x)) * 0.25);
  let meanDistance = distances / <f64>n;
  if (meanDistance * meanDistance > 4 * (squares / <f64>n - meanDistance * meanDistance)) {
    sumDistances(x, n, <f32>(<f64>foundPivot + meanDistance));
    meanDistance = distances / <f64>n;
  }
  const inverse = 1 / sqrt<f64>(squares / <f64>n - meanDistance * meanDistance + <f64>eps);
  foundScale = <f32>inverse;
  foundShift = <f32>(-meanDistance * inverse);
  return squares - squares == 0;
}

/** Layer norm: (x - mean) / √(variance + eps) · weight + bias. Returns 1 if a sum of squares is not finite. */
export function layerNormRows(
  item: i32,
  scratch: usize,
  x: usize,
  weight: usize,
  bias: usize,
  y: usize,
  rows: i32,
  step: i32,
  n: i32,
  eps: f32,
): i32 {
  const bytes = (<usize>n) << 2;
  const from = <usize>(item * step) * bytes;
  x += from;
  y += from;
  rows = min(step, rows - item * step);
  if (!standardize(x, n, eps)) return 1;
  for (let r = 1; r <= rows; r++) {
    const pivot = foundPivot;
    const scale = foundScale;
    const shift = foundShift;
    // The mean and variance of the next row are computed before this row is written, so that writing does not wait for their latency.
    if (r < rows && !standardize(x + bytes, n, eps)) return 1;
    normalize(x, weight, bias, y, bytes, pivot, scale, shift);
    x += bytes;
    y += bytes;
  }
  return 0;
}

/** ((x - pivot) · scale + shift) · weight + bias for a row. A weight or bias with address 0 is omitted. */
function normalize(
  x: usize,
  weight: usize,
  bias: usize,
  y: usize,
  bytes: usize,
  pivot: f32,
  scale: f32,
  shift: f32,
): void {
  const pivots = f32x4.splat(pivot);
  const scales = f32x4.splat(scale);
  const shifts = f32x4.splat(shift);
  const pairs = bytes & ~31;
  let i: usize = 0;
  if (bias != 0) {
    for (; i < pairs; i += 32) {
      const a = fma(f32x4.sub(v128.load(x + i), pivots), scales, shifts);
      const b = fma(f32x4.sub(v128.load(x + i, 16), pivots), scales, shifts);
      v128.store(y + i, fma(a, v128.load(weight + i), v128.load(bias + i)));
      v128.store(y + i, fma(b, v128.load(weight + i, 16), v128.load(bias + i, 16)), 16);
    }
  } else if (weight != 0) {
    for (; i < pairs; i += 32) {
      const a = fma(f32x4.sub(v128.load(x + i), pivots), scales, shifts);
      const b = fma(f32x4.sub(v128.load(x + i, 16), pivots), scales, shifts);
      v128.store(y + i, f32x4.mul(a, v128.load(weight + i)));
      v128.store(y + i, f32x4.mul(b, v128.load(weight + i, 16)), 16);
    }
  } else {
    for (; i < pairs; i += 32) {
      v128.store(y + i, fma(f32x4.sub(v128.load(x + i), pivots), scales, shifts));
      v128.store(y + i, fma(f32x4.sub(v128.load(x + i, 16), pivots), scales, shifts), 16);
    }
  }
  for (; i < bytes; i += 4) {
    const normal = (load<f32>(x + i) - pivot) * scale + shift;
    const scaled = weight == 0 ? normal : normal * load<f32>(weight + i);
    store<f32>(y + i, bias == 0 ? scaled : scaled + load<f32>(bias + i));
  }
}

/** Cross-entropy of each row, −log softmax(x)[target], with label smoothing; 0 for an ignored target. */
export function crossEntropyRows(
  item: i32,
  scratch: usize,
  x: usize,
  targets: usize,
  losses: usize,
  counts: usize,
  rows: i32,
  step: i32,
  n: i32,
  ignored: i32,
  smoothing: f64,
): i32 {
  const constants = expConstants;
  const log2e = v128.load(constants);
  const minExponent = v128.load(constants, 16);
  const rounding = v128.load(constants, 32);
  const c5 = v128.load(constants, 48);
  const c4 = v128.load(constants, 64);
  const c3 = v128.load(constants, 80);
  const c2 = v128.load(constants, 96);
  const c1 = v128.load(constants, 112);
  const c0 = v128.load(constants, 128);
  const bytes = (<usize>n) << 2;
  const vectors = (<usize>(n & ~3)) << 2;
  const last = min(rows, (item + 1) * step);
  for (let r = item * step; r < last; r++) {
    const target = load<i32>(targets + ((<usize>r) << 2));
    const isCounted = target != ignored;
    let loss: f64 = 0;
    if (isCounted) {
      if (<u32>target >= <u32>n) return 1;
      const row = x + <usize>r * bytes;
      const largest = maxIn(row, n);
      if (largest - largest != 0) return 1;
      const shift = f32x4.splat(largest);
      let exponentialSum: f64 = 0;
      let differenceSum: f64 = 0;
      for (let i: usize = 0; i < vectors;) {
        // Blocks of 1024 numbers are summed in float32, and their sums in float64.
        const end = min(vectors, i + 4096);
        let sums = zero();
        let differences = zero();
        for (; i < end; i += 16) {
          const difference = f32x4.sub(v128.load(row + i), shift);
          sums = f32x4.add(
            sums,
            exp4WithConstants(difference, log2e, minExponent, rounding, c5, c4, c3, c2, c1, c0),
          );
          differences = f32x4.add(differences, difference);
        }
        exponentialSum += <f64>sumLanes(sums);
        differenceSum += <f64>sumLanes(differences);
      }
      for (let i = vectors; i < bytes; i += 4) {
        const difference = load<f32>(row + i) - largest;
        exponentialSum += <f64>f32x4.extract_lane(exp4(f32x4.splat(difference)), 0);
        differenceSum += <f64>difference;
      }
      const targetDifference = <f64>(load<f32>(row + ((<usize>target) << 2)) - largest);
      loss = NativeMath.log(exponentialSum) - (1 - smoothing) * targetDifference;
      if (smoothing > 0) loss -= (smoothing / <f64>n) * differenceSum;
    }
    store<f32>(losses + ((<usize>r) << 2), <f32>loss);
    store<f32>(counts + ((<usize>r) << 2), isCounted ? 1 : 0);
  }
  return 0;
}

/** Gradient of each row: `slope · (softmax − smoothing / n)`, minus `slope · (1 − smoothing)` at the target; zeros for an ignored target. */
export function crossEntropyBackwardRows(
  item: i32,
  scratch: usize,
  x: usize,
  targets: usize,
  counts: usize,
  slopes: usize,
  y: usize,
  rows: i32,
  step: i32,
  n: i32,
  ignored: i32,
  smoothing: f64,
): i32 {
  const bytes = (<usize>n) << 2;
  const last = min(rows, (item + 1) * step);
  for (let r = item * step; r < last; r++) {
    const at = (<usize>r) << 2;
    const target = load<i32>(targets + at);
    const to = y + <usize>r * bytes;
    if (target == ignored) {
      memory.fill(to, 0, bytes);
      continue;
    }
    if (<u32>target >= <u32>n) return 1;
    const row = x + <usize>r * bytes;
    const largest = maxIn(row, n);
    if (largest - largest != 0) return 1;
    let sum: f64 = 0;
    // Blocks of 1024 numbers are summed in float32, and their sums in float64.
    for (let i = 0; i < n; i += 1024)
      sum += <f64>exponentials(row + ((<usize>i) << 2), to + ((<usize>i) << 2), min(1024, n - i), largest);
    const slope = <f64>load<f32>(slopes + at);
    scaleRow(to, n, <f32>(slope / sum), <f32>((slope * smoothing) / <f64>n));
    const targetAt = to + ((<usize>target) << 2);
    store<f32>(targetAt, <f32>(<f64>load<f32>(targetAt) - slope * (1 - smoothing)));
  }
  return 0;
}

/** y = y · by − offset */
function scaleRow(y: usize, n: i32, by: f32, offset: f32): void {
  const factor = f32x4.splat(by);
  const offsets = f32x4.splat(offset);
  const end = y + ((<usize>n) << 2);
  for (const last = y + ((<usize>(n & ~3)) << 2); y < last; y += 16)
    v128.store(y, f32x4.sub(f32x4.mul(v128.load(y), factor), offsets));
  for (; y < end; y += 4) store<f32>(y, load<f32>(y) * by - offset);
}
