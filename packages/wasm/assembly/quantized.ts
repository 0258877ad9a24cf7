// y[M × N] = x[M × K] · Wᵀ with weights of 8 or 4 bits in panels of 8 outputs, [step][8][4] bytes: a step has 4 inputs, with 4 bits 8.
// A work item is one or more panels.
import { BLOCK_ROWS, LAST_BLOCK_ROWS } from "./layout";
import { dotFast, dotPlain } from "./bytes";
import { absmaxIn, fma, sumFourVectors, zero } from "./lanes";
import { multiplyStrip, packRows, ROWS } from "./matmul";
import { dotFast4, dotFast6, dotFastRow, dotFastSums, dotPlainRow, dotPlainSums } from "./micro-kernels";

/** 1.5 · 2^23: adding it to a smaller number rounds that to an integer. */
const NEAREST: f32 = 12582912;

/** Returns 1 if the relaxed dot product of bytes is exact on this machine, tested with extreme inputs. */
export function bytesAreExact(): i32 {
  for (let a = -128; a < 128; a += 5) {
    for (let b = 0; b < 128; b += 7) {
      const signed = i8x16.replace_lane(i8x16.splat(<i8>a), 5, <i8>-a);
      const seven = i8x16.replace_lane(i8x16.splat(<i8>b), 9, 127);
      const fast = dotFast(signed, seven, i32x4.splat(a * 1000003));
      if (v128.any_true(v128.xor(fast, dotPlain(signed, seven, i32x4.splat(a * 1000003))))) return 0;
    }
  }
  return 1;
}

@inline
function weightSteps(bits: i32, K: i32): i32 {
  return bits == 8 ? (K + 3) >> 2 : ((K + 31) >> 5) << 2;
}
@inline
function scaleGroups(bits: i32, K: i32): i32 {
  return bits == 8 ? 1 : (K + 31) >> 5;
}

/** Packs rows of x in blocks, [K][ROWS] each. A work item is 16 blocks. */
export function quantizedBlocks(
  item: i32,
  scratch: usize,
  x: usize,
  xRow: i32,
  xColumn: i32,
  M: i32,
  K: i32,
  blocks: usize,
): void {
  const last = min((M + ROWS - 1) / ROWS, (item + 1) << 4);
  for (let b = item << 4; b < last; b++) {
    const m = b * ROWS;
    packRows(
      x + ((<usize>(m * xRow)) << 2),
      xRow,
      xColumn,
      min(ROWS, M - m),
      K,
      blocks + ((<usize>(m * K)) << 2),
    );
  }
}

export function quantizedPanelsScratch(K: i32): i32 {
  return ((K + 31) & ~31) * 32 + ROWS * 32;
}

/** A work item dequantizes a panel of weights, [K][8], and multiplies it by all blocks of rows. */
export function quantizedPanels(
  item: i32,
  scratch: usize,
  blocks: usize,
  data: usize,
  scale: usize,
  bits: i32,
  y: usize,
  M: i32,
  N: i32,
  K: i32,
): void {
  const edge = scratch;
  const panel = scratch + ROWS * 32;
  const width = min(8, N - (item << 3));
  const from = data + <usize>item * ((<usize>weightSteps(bits, K)) << 5);
  const groups = scaleGroups(bits, K);
  const scales = scale + ((<usize>((item << 3) * groups)) << 2);
  if (bits == 8) int8ToFloats(from, scales, width, K, panel);
  else int4ToFloats(from, scales, groups, width, K, panel);
  for (let m = 0; m < M; m += ROWS) {
    const block = blocks + ((<usize>(m * K)) << 2);
    const to = y + ((<usize>m * <usize>N + <usize>(item << 3)) << 2);
    const rows = min(ROWS, M - m);
    if (rows == ROWS && width == 8) {
      multiplyStrip(block, panel, K, to, (<usize>N) << 2, false);
      continue;
    }
    multiplyStrip(block, panel, K, edge, 32, false);
    for (let r = 0; r < rows; r++) {
      memory.copy(to + ((<usize>r * <usize>N) << 2), edge + ((<usize>r) << 5), (<usize>width) << 2);
    }
  }
}

/** Dequantizes four outputs of a step, integers in bytes, and stores them as [4 inputs][8 outputs]. */
@inline
function storeFloats(integers: v128, scales: v128, to: usize): void {
  const low = i16x8.extend_low_i8x16_s(integers);
  const high = i16x8.extend_high_i8x16_s(integers);
  const r0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low));
  const r1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low));
  const r2 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high));
  const r3 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high));
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, f32x4.mul(scales, v128.shuffle<i64>(a, b, 0, 2)));
  v128.store(to, f32x4.mul(scales, v128.shuffle<i64>(a, b, 1, 3)), 32);
  v128.store(to, f32x4.mul(scales, v128.shuffle<i64>(c, d, 0, 2)), 64);
  v128.store(to, f32x4.mul(scales, v128.shuffle<i64>(c, d, 1, 3)), 96);
}

/** Scales of four outputs from `r` on, `step` elements apart; 0 beyond the last output. */
function loadScales(scales: usize, step: i32, r: i32, width: i32): v128 {
  let x = zero();
  if (r < width) x = f32x4.replace_lane(x, 0, load<f32>(scales + ((<usize>(r * step)) << 2)));
  if (r + 1 < width) x = f32x4.replace_lane(x, 1, load<f32>(scales + ((<usize>((r + 1) * step)) << 2)));
  if (r + 2 < width) x = f32x4.replace_lane(x, 2, load<f32>(scales + ((<usize>((r + 2) * step)) << 2)));
  if (r + 3 < width) x = f32x4.replace_lane(x, 3, load<f32>(scales + ((<usize>((r + 3) * step)) << 2)));
  return x;
}

function int8ToFloats(from: usize, scales: usize, width: i32, K: i32, to: usize): void {
  const s0 = loadScales(scales, 1, 0, width);
  const s1 = loadScales(scales, 1, 4, width);
  for (let k = 0; k < K; k += 4, from += 32, to += 128) {
    storeFloats(v128.load(from), s0, to);
    storeFloats(v128.load(from, 16), s1, to + 16);
  }
}

function int4ToFloats(from: usize, scales: usize, groups: i32, width: i32, K: i32, to: usize): void {
  const zeroPoint = i8x16.splat(8);
  const nibbleMask = i8x16.splat(15);
  for (let g = 0; g < groups; g++, scales += 4) {
    const s0 = loadScales(scales, groups, 0, width);
    const s1 = loadScales(scales, groups, 4, width);
    for (let step = 0; step < 4; step++, from += 32, to += 256) {
      const a = v128.load(from);
      const b = v128.load(from, 16);
      storeFloats(i8x16.sub(v128.and(a, nibbleMask), zeroPoint), s0, to);
      storeFloats(i8x16.sub(v128.and(b, nibbleMask), zeroPoint), s1, to + 16);
      storeFloats(i8x16.sub(i8x16.shr_u(a, 4), zeroPoint), s0, to + 128);
      storeFloats(i8x16.sub(i8x16.shr_u(b, 4), zeroPoint), s1, to + 144);
    }
  }
}

/** A row of x, contiguous and padded with zeros to full groups, times `step` panels of 4 bits. */
export function quantizedRow(
  item: i32,
  scratch: usize,
  x: usize,
  data: usize,
  scale: usize,
  y: usize,
  N: i32,
  K: i32,
  step: i32,
): void {
  const panels = (N + 7) >> 3;
  const last = min(panels, (item + 1) * step);
  const bytes = (<usize>weightSteps(4, K)) << 5;
  const groups = scaleGroups(4, K);
  for (let p = item * step; p < last; p++) {
    const from = data + <usize>p * bytes;
    const scales = scale + ((<usize>((p << 3) * groups)) << 2);
    const width = min(8, N - (p << 3));
    for (let fourOutputs = 0; fourOutputs < 2; fourOutputs++) {
      const outputs = min(4, width - 4 * fourOutputs);
      if (outputs <= 0) continue;
      const panelScales = scales + ((<usize>(4 * fourOutputs * groups)) << 2);
      const sums = int4RowTimesPanel(
        x,
        from + ((<usize>fourOutputs) << 4),
        bytes,
        panelScales,
        groups,
        outputs,
      );
      storeFirst(sums, scratch, y + ((<usize>((p << 3) + 4 * fourOutputs)) << 2), outputs);
    }
  }
}

/** Stores the first `count` of four numbers. */
function storeFirst(x: v128, scratch: usize, to: usize, count: i32): void {
  if (count == 4) {
    v128.store(to, x);
    return;
  }
  v128.store(scratch, x);
  memory.copy(to, scratch, (<usize>count) << 2);
}

/** Number of inputs that share a scale of activations. */
const SCALE_GROUP: i32 = 128;

/** Bytes of a row after `splitRows`: 16 bits and 7 bits of each input, and a scale for each SCALE_GROUP inputs. */
export function splitBytes(K: i32): i32 {
  return ((K + SCALE_GROUP - 1) / SCALE_GROUP) * (SCALE_GROUP * 3 + 4);
}

/**
 * Quantizes rows of x to integers of 23 bits: the largest magnitude of a group of inputs becomes 2^22 - 1, so that the error of a
 * number is at most 2^-23 of it. The lower 7 bits, which are not negative, are stored separately. A work item is one row. Returns 1
 * if a number is NaN or infinite.
 */
export function splitRows(
  item: i32,
  scratch: usize,
  x: usize,
  xRow: i32,
  xColumn: i32,
  K: i32,
  to: usize,
): i32 {
  const groups = (K + SCALE_GROUP - 1) / SCALE_GROUP;
  let high = to + <usize>item * <usize>splitBytes(K);
  let low = high + <usize>(groups * SCALE_GROUP * 2);
  const scales = low + <usize>(groups * SCALE_GROUP);
  x += (<usize>(item * xRow)) << 2;
  for (let s = 0; s < groups; s++, high += SCALE_GROUP * 2, low += SCALE_GROUP) {
    const count = min(SCALE_GROUP, K - s * SCALE_GROUP);
    for (let k = 0; k < count; k++)
      store<f32>(
        scratch + ((<usize>k) << 2),
        load<f32>(x + ((<usize>((s * SCALE_GROUP + k) * xColumn)) << 2)),
      );
    memory.fill(scratch + ((<usize>count) << 2), 0, (<usize>(SCALE_GROUP - count)) << 2);
    const largest = absmaxIn(scratch, SCALE_GROUP);
    if (largest - largest != 0) return 1;
    const inverseScale: f32 = 4194303 / largest;
    const scaleIsFinite = inverseScale < Infinity;
    store<f32>(scales + ((<usize>s) << 2), scaleIsFinite ? largest / 4194303 : 0);
    const inverseScales = f32x4.splat(scaleIsFinite ? inverseScale : 0);
    const seven = i32x4.splat(127);
    for (let k = 0; k < SCALE_GROUP; k += 8) {
      const from = scratch + ((<usize>k) << 2);
      const a = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from), inverseScales)));
      const b = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(from, 16), inverseScales)));
      v128.store(high + ((<usize>k) << 1), i16x8.narrow_i32x4_s(i32x4.shr_s(a, 7), i32x4.shr_s(b, 7)));
      const lowBits = i16x8.narrow_i32x4_s(v128.and(a, seven), v128.and(b, seven));
      v128.store64_lane(low + <usize>k, i8x16.narrow_i16x8_u(lowBits, lowBits), 0);
    }
  }
  return 0;
}

/**
 * A row from `splitRows` times `step` panels of 8 bits, plus the bias unless its address is 0. `across`: stride of the bias in
 * elements.
 */
export function splitRow(
  item: i32,
  scratch: usize,
  row: usize,
  data: usize,
  scale: usize,
  bias: usize,
  biasStride: i32,
  y: usize,
  N: i32,
  K: i32,
  step: i32,
  exact: i32,
): void {
  const steps = (K + 3) >> 2;
  const groups = (K + SCALE_GROUP - 1) / SCALE_GROUP;
  const low = row + <usize>(groups * SCALE_GROUP * 2);
  const factors = low + <usize>(groups * SCALE_GROUP);
  const last = min((N + 7) >> 3, (item + 1) * step);
  for (let p = item * step; p < last; p++) {
    const panel = data + <usize>p * ((<usize>steps) << 5);
    // The lower bits use the dot product of bytes if it is available and exact.
    if (ASC_FEATURE_RELAXED_SIMD && exact) splitRowByBytes(row, low, factors, panel, steps, scratch);
    else splitRowByWords(row, low, factors, panel, steps, scratch);
    const scales = scale + ((<usize>p) << 5);
    const to = y + ((<usize>p) << 5);
    const bytes = (<usize>min(8, N - (p << 3))) << 2;
    memory.copy(scratch + 32, scales, bytes);
    v128.store(scratch, f32x4.mul(v128.load(scratch), v128.load(scratch, 32)));
    v128.store(scratch, f32x4.mul(v128.load(scratch, 16), v128.load(scratch, 48)), 16);
    if (bias) {
      for (let n: usize = 0; n < bytes; n += 4) {
        const biasNumber = load<f32>(bias + ((<usize>((p << 3) * biasStride)) << 2) + n * <usize>biasStride);
        store<f32>(scratch + n, load<f32>(scratch + n) + biasNumber);
      }
    }
    memory.copy(to, scratch, bytes);
  }
}

/** Sums of adjacent lanes of two vectors. */
@inline
function pairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

/** Adds the sum of a group of inputs: (128 · sum of the upper parts + sum of the lower parts) · scale. */
@inline
function addScaledGroup(sum: v128, high: v128, low: v128, factor: v128): v128 {
  const integerSum = f32x4.add(
    f32x4.mul(f32x4.convert_i32x4_s(high), f32x4.splat(128)),
    f32x4.convert_i32x4_s(low),
  );
  return fma(integerSum, factor, sum);
}

function splitRowByBytes(
  high: usize,
  low: usize,
  factors: usize,
  panel: usize,
  steps: i32,
  sums: usize,
): void {
  let f0 = zero();
  let f1 = zero();
  for (; steps > 0; steps -= SCALE_GROUP >> 2, factors += 4) {
    let h0 = i32x4.splat(0);
    let h1 = h0;
    let h2 = h0;
    let h3 = h0;
    let l0 = h0;
    let l1 = h0;
    for (
      const end = panel + ((<usize>min(SCALE_GROUP >> 2, steps)) << 5);
      panel < end;
      panel += 32, high += 8, low += 4
    ) {
      const x = v128.load64_splat(high);
      const y = v128.load32_splat(low);
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(v128.load8x8_s(panel), x));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 8), x));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 16), x));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(v128.load8x8_s(panel, 24), x));
      l0 = dotFast(v128.load(panel), y, l0);
      l1 = dotFast(v128.load(panel, 16), y, l1);
    }
    const factor = v128.load32_splat(factors);
    f0 = addScaledGroup(f0, pairs(h0, h1), l0, factor);
    f1 = addScaledGroup(f1, pairs(h2, h3), l1, factor);
  }
  v128.store(sums, f0);
  v128.store(sums, f1, 16);
}

function splitRowByWords(
  high: usize,
  low: usize,
  factors: usize,
  panel: usize,
  steps: i32,
  sums: usize,
): void {
  let f0 = zero();
  let f1 = zero();
  for (; steps > 0; steps -= SCALE_GROUP >> 2, factors += 4) {
    let h0 = i32x4.splat(0);
    let h1 = h0;
    let h2 = h0;
    let h3 = h0;
    let l0 = h0;
    let l1 = h0;
    let l2 = h0;
    let l3 = h0;
    for (
      const end = panel + ((<usize>min(SCALE_GROUP >> 2, steps)) << 5);
      panel < end;
      panel += 32, high += 8, low += 4
    ) {
      const x = v128.load64_splat(high);
      const y = i16x8.extend_low_i8x16_u(v128.load32_splat(low));
      const w0 = v128.load8x8_s(panel);
      const w1 = v128.load8x8_s(panel, 8);
      const w2 = v128.load8x8_s(panel, 16);
      const w3 = v128.load8x8_s(panel, 24);
      h0 = i32x4.add(h0, i32x4.dot_i16x8_s(w0, x));
      h1 = i32x4.add(h1, i32x4.dot_i16x8_s(w1, x));
      h2 = i32x4.add(h2, i32x4.dot_i16x8_s(w2, x));
      h3 = i32x4.add(h3, i32x4.dot_i16x8_s(w3, x));
      l0 = i32x4.add(l0, i32x4.dot_i16x8_s(w0, y));
      l1 = i32x4.add(l1, i32x4.dot_i16x8_s(w1, y));
      l2 = i32x4.add(l2, i32x4.dot_i16x8_s(w2, y));
      l3 = i32x4.add(l3, i32x4.dot_i16x8_s(w3, y));
    }
    const factor = v128.load32_splat(factors);
    f0 = addScaledGroup(f0, pairs(h0, h1), pairs(l0, l1), factor);
    f1 = addScaledGroup(f1, pairs(h2, h3), pairs(l2, l3), factor);
  }
  v128.store(sums, f0);
  v128.store(sums, f1, 16);
}

/** Four outputs with 4 bits: eight inputs per step, a scale for each 32 inputs. */
function int4RowTimesPanel(
  x: usize,
  from: usize,
  bytes: usize,
  scales: usize,
  groups: i32,
  outputs: i32,
): v128 {
  let t0 = zero();
  let t1 = zero();
  let t2 = zero();
  let t3 = zero();
  const end = from + bytes;
  const across = (<usize>groups) << 2;
  // With fewer than four outputs, the scales of the first one are read again.
  const r1 = outputs > 1 ? across : 0;
  const r2 = outputs > 2 ? across * 2 : 0;
  const r3 = outputs > 3 ? across * 3 : 0;
  while (from < end) {
    let s0 = zero();
    let s1 = zero();
    let s2 = zero();
    let s3 = zero();
    for (let step = 0; step < 4; step++, from += 32, x += 32) {
      const packedNibbles = v128.load(from);
      for (let part = 0; part < 2; part++) {
        const nibbles = part == 0 ? v128.and(packedNibbles, i8x16.splat(15)) : i8x16.shr_u(packedNibbles, 4);
        const integers = i8x16.sub(nibbles, i8x16.splat(8));
        const v = v128.load(x + ((<usize>part) << 4));
        const low = i16x8.extend_low_i8x16_s(integers);
        const high = i16x8.extend_high_i8x16_s(integers);
        s0 = fma(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), v, s0);
        s1 = fma(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), v, s1);
        s2 = fma(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), v, s2);
        s3 = fma(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), v, s3);
      }
    }
    t0 = fma(v128.load32_splat(scales), s0, t0);
    t1 = fma(v128.load32_splat(scales + r1), s1, t1);
    t2 = fma(v128.load32_splat(scales + r2), s2, t2);
    t3 = fma(v128.load32_splat(scales + r3), s3, t3);
    scales += 4;
  }
  return sumFourVectors(t0, t1, t2, t3);
}

/**
 * Quantizes rows of x to integers from -63 to 63, stored with an offset of 64, in blocks [step][rows][4] padded with 64 (zeros), and
 * writes the scale of each row. Blocks have 6 rows before row `sixRowEnd`, and `low` rows from there on. A work item is one block.
 * Returns 1 if a number is NaN or infinite.
 */
export function quantizeRows(
  item: i32,
  scratch: usize,
  x: usize,
  xRow: i32,
  xColumn: i32,
  M: i32,
  K: i32,
  blocks: usize,
  factors: usize,
  sixRowEnd: i32,
  low: i32,
): i32 {
  const steps = (K + 3) >> 2;
  const blocksAfterSixes = item - sixRowEnd / BLOCK_ROWS;
  const blockHeight = blocksAfterSixes < 0 ? BLOCK_ROWS : low;
  const first = blocksAfterSixes < 0 ? item * BLOCK_ROWS : sixRowEnd + blocksAfterSixes * low;
  const rows = min(blockHeight, M - first);
  const to = blocks + <usize>first * ((<usize>steps) << 2);
  const from = x + ((<usize>(first * xRow)) << 2);
  const across = (<usize>xRow) << 2;
  const step = (<usize>blockHeight) << 2;
  if (rows < blockHeight || (K & 3) != 0) memory.fill(to, 64, <usize>steps * step);
  for (let r = 0; r < rows; r++) {
    const row = from + <usize>r * across;
    let largest: f32 = 0;
    if (xColumn == 1) largest = absmaxIn(row, K);
    else
      for (let k = 0; k < K; k++)
        largest = max<f32>(largest, abs<f32>(load<f32>(row + ((<usize>(k * xColumn)) << 2))));
    if (largest - largest != 0) return 1;
    const inverseScale: f32 = 63 / largest;
    const scaleIsFinite = inverseScale < Infinity;
    store<f32>(factors + ((<usize>(first + r)) << 2), scaleIsFinite ? largest / 63 : 1);
    store<f32>(scratch + ((<usize>r) << 2), scaleIsFinite ? inverseScale : 0);
  }
  const vectors = xColumn == 1 ? K & ~15 : 0;
  if (rows == BLOCK_ROWS) quantizeBlock(from, across, scratch, vectors, to);
  for (let r = 0; r < rows; r++) {
    const row = from + <usize>r * across;
    const at = to + ((<usize>r) << 2);
    const inverseScale = load<f32>(scratch + ((<usize>r) << 2));
    let k = rows == BLOCK_ROWS ? vectors : 0;
    for (; k < vectors; k += 16) {
      const bytes = sixteenBytes(row + ((<usize>k) << 2), f32x4.splat(inverseScale));
      const steps4 = at + <usize>(k >> 2) * step;
      v128.store32_lane(steps4, bytes, 0);
      v128.store32_lane(steps4 + step, bytes, 1);
      v128.store32_lane(steps4 + step * 2, bytes, 2);
      v128.store32_lane(steps4 + step * 3, bytes, 3);
    }
    for (; k < K; k++) {
      const rounded = nearest<f32>(load<f32>(row + ((<usize>(k * xColumn)) << 2)) * inverseScale);
      store<u8>(at + <usize>(k >> 2) * step + <usize>(k & 3), <u8>(<i32>rounded + 64));
    }
  }
  return 0;
}

/** Quantizes the first `vectors` numbers, a multiple of 16, of six rows. */
function quantizeBlock(from: usize, across: usize, inverseScales: usize, vectors: i32, to: usize): void {
  const p0 = v128.load32_splat(inverseScales);
  const p1 = v128.load32_splat(inverseScales, 4);
  const p2 = v128.load32_splat(inverseScales, 8);
  const p3 = v128.load32_splat(inverseScales, 12);
  const p4 = v128.load32_splat(inverseScales, 16);
  const p5 = v128.load32_splat(inverseScales, 20);
  for (const end = from + ((<usize>vectors) << 2); from < end; from += 64, to += 96) {
    const r0 = sixteenBytes(from, p0);
    const r1 = sixteenBytes(from + across, p1);
    const r2 = sixteenBytes(from + across * 2, p2);
    const r3 = sixteenBytes(from + across * 3, p3);
    const r4 = sixteenBytes(from + across * 4, p4);
    const r5 = sixteenBytes(from + across * 5, p5);
    const a = v128.shuffle<i32>(r0, r1, 0, 4, 1, 5);
    const b = v128.shuffle<i32>(r2, r3, 0, 4, 1, 5);
    const c = v128.shuffle<i32>(r0, r1, 2, 6, 3, 7);
    const d = v128.shuffle<i32>(r2, r3, 2, 6, 3, 7);
    const e = v128.shuffle<i32>(r4, r5, 0, 4, 1, 5);
    const f = v128.shuffle<i32>(r4, r5, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
    v128.store64_lane(to, e, 0, 16);
    v128.store(to, v128.shuffle<i64>(a, b, 1, 3), 24);
    v128.store64_lane(to, e, 1, 40);
    v128.store(to, v128.shuffle<i64>(c, d, 0, 2), 48);
    v128.store64_lane(to, f, 0, 64);
    v128.store(to, v128.shuffle<i64>(c, d, 1, 3), 72);
    v128.store64_lane(to, f, 1, 88);
  }
}

/** Sixteen numbers times `per`, rounded to integers, plus 64, as bytes. */
@inline
function sixteenBytes(from: usize, inverseScale: v128): v128 {
  // Rounded by adding a large number, whose bits are then masked off.
  const roundingOffset = f32x4.splat(NEAREST + 64);
  const roundingBits = f32x4.splat(NEAREST);
  const a = i32x4.sub(f32x4.add(f32x4.mul(v128.load(from), inverseScale), roundingOffset), roundingBits);
  const b = i32x4.sub(f32x4.add(f32x4.mul(v128.load(from, 16), inverseScale), roundingOffset), roundingBits);
  const c = i32x4.sub(f32x4.add(f32x4.mul(v128.load(from, 32), inverseScale), roundingOffset), roundingBits);
  const d = i32x4.sub(f32x4.add(f32x4.mul(v128.load(from, 48), inverseScale), roundingOffset), roundingBits);
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/**
 * Rows of int8 activations, in blocks of 6 before row `sixRowEnd` and of 4 from there on, times `step` panels of int8 weights. `offsets` has
 * 64 · the sums of each panel's weights, which the call with `first` computes for the later ones.
 */
export function int8Panels(
  item: i32,
  scratch: usize,
  blocks: usize,
  factors: usize,
  data: usize,
  scale: usize,
  offsets: usize,
  y: usize,
  M: i32,
  sixRowEnd: i32,
  N: i32,
  K: i32,
  step: i32,
  first: i32,
  exact: i32,
): void {
  const steps = (K + 3) >> 2;
  const across = (<usize>steps) << 2;
  const last = min((N + 7) >> 3, (item + 1) * step);
  for (let p = item * step; p < last; p++) {
    const panel = data + <usize>p * (across << 3);
    const panelOffsets = offsets + ((<usize>p) << 5);
    if (first) {
      if (exact) dotFastSums(panel, steps, panelOffsets);
      else dotPlainSums(panel, steps, panelOffsets);
    }
    for (let m = 0; m < M;) {
      const blockHeight = m < sixRowEnd ? BLOCK_ROWS : LAST_BLOCK_ROWS;
      const block = blocks + <usize>m * across;
      if (!ASC_FEATURE_RELAXED_SIMD || !exact) {
        for (let r: usize = 0; r < <usize>blockHeight; r += 2)
          twoRowsByWords(block + (r << 2), (<usize>blockHeight) << 2, panel, steps, scratch + (r << 5));
      } else if (blockHeight == BLOCK_ROWS) dotFast6(block, panel, steps, scratch);
      else dotFast4(block, panel, steps, scratch);
      const to = y + ((<usize>m * <usize>N) << 2);
      scaleSums(scratch, panelOffsets, min(blockHeight, M - m), factors + ((<usize>m) << 2), scale, p, N, to);
      m += blockHeight;
    }
  }
}

/**
 * Integer sums of two rows times a panel without a dot product of bytes: bytes are extended to 16 bits, and each instruction adds the
 * products of two inputs. `across`: bytes from one step of a row to the next.
 */
function twoRowsByWords(row: usize, across: usize, panel: usize, steps: i32, sums: usize): void {
  let a0 = i32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let b0 = a0;
  let b1 = a0;
  let b2 = a0;
  let b3 = a0;
  for (const end = panel + ((<usize>steps) << 5); panel < end; panel += 32, row += across) {
    const x = i16x8.extend_low_i8x16_u(v128.load32_splat(row));
    const y = i16x8.extend_low_i8x16_u(v128.load32_splat(row, 4));
    const w0 = v128.load8x8_s(panel);
    const w1 = v128.load8x8_s(panel, 8);
    const w2 = v128.load8x8_s(panel, 16);
    const w3 = v128.load8x8_s(panel, 24);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(w0, x));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(w0, y));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(w1, x));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(w1, y));
    a2 = i32x4.add(a2, i32x4.dot_i16x8_s(w2, x));
    b2 = i32x4.add(b2, i32x4.dot_i16x8_s(w2, y));
    a3 = i32x4.add(a3, i32x4.dot_i16x8_s(w3, x));
    b3 = i32x4.add(b3, i32x4.dot_i16x8_s(w3, y));
  }
  v128.store(sums, pairs(a0, a1));
  v128.store(sums, pairs(a2, a3), 16);
  v128.store(sums, pairs(b0, b1), 32);
  v128.store(sums, pairs(b2, b3), 48);
}

/** Subtracts the offsets from the integer sums of some rows, and multiplies them by both scales. */
function scaleSums(
  sums: usize,
  offsets: usize,
  rows: i32,
  factors: usize,
  scale: usize,
  p: i32,
  N: i32,
  y: usize,
): void {
  const width = min(8, N - (p << 3));
  const o0 = v128.load(offsets);
  const o1 = v128.load(offsets, 16);
  const scales = scale + ((<usize>p) << 5);
  const across = (<usize>N) << 2;
  const last = sums + ((<usize>rows) << 5);
  let to = y + ((<usize>p) << 5);
  if (width == 8) {
    const w0 = v128.load(scales);
    const w1 = v128.load(scales, 16);
    for (; sums < last; sums += 32, factors += 4, to += across) {
      const factor = v128.load32_splat(factors);
      const a = f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums), o0));
      const b = f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums, 16), o1));
      v128.store(to, f32x4.mul(f32x4.mul(a, factor), w0));
      v128.store(to, f32x4.mul(f32x4.mul(b, factor), w1), 16);
    }
    return;
  }
  for (; sums < last; sums += 32, factors += 4, to += across) {
    const factor = load<f32>(factors);
    for (let c: usize = 0; c < (<usize>width) << 2; c += 4) {
      const integer = <f32>(load<i32>(sums + c) - load<i32>(offsets + c));
      store<f32>(to + c, integer * factor * load<f32>(scales + c));
    }
  }
}

/** A row of int8 activations times `step` panels of int8 weights. */
export function int8Row(
  item: i32,
  scratch: usize,
  row: usize,
  factor: f32,
  data: usize,
  scale: usize,
  y: usize,
  N: i32,
  K: i32,
  step: i32,
  exact: i32,
): void {
  const steps = (K + 3) >> 2;
  const bytes = (<usize>steps) << 5;
  const last = min((N + 7) >> 3, (item + 1) * step);
  const factors = f32x4.splat(factor);
  for (let p = item * step; p < last; p++) {
    const panel = data + <usize>p * bytes;
    if (exact) dotFastRow(row, panel, steps, scratch);
    else dotPlainRow(row, panel, steps, scratch);
    const a = f32x4.mul(f32x4.convert_i32x4_s(v128.load(scratch)), factors);
    const b = f32x4.mul(f32x4.convert_i32x4_s(v128.load(scratch, 16)), factors);
    const scales = scale + ((<usize>p) << 5);
    const to = y + ((<usize>p) << 5);
    if (N - (p << 3) >= 8) {
      v128.store(to, f32x4.mul(a, v128.load(scales)));
      v128.store(to, f32x4.mul(b, v128.load(scales, 16)), 16);
      continue;
    }
    v128.store(scratch, a);
    v128.store(scratch, b, 16);
    for (let n: usize = 0; n < (<usize>(N - (p << 3))) << 2; n += 4)
      store<f32>(to + n, load<f32>(scratch + n) * load<f32>(scales + n));
  }
}
