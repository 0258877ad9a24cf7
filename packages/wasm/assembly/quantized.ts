// y[M × N] = x[M × K] · weights of small whole numbers, which lie in panels of 8 outputs: [step][8][4] bytes. An item is one
// panel, or a few.
import { dotFast, dotPlain } from "./bytes";
import { madd, sumsOf, zero } from "./lanes";
import { full, packRows, ROWS } from "./matmul";
import { dotFast1, dotFast6, dotPlain1, dotPlain6 } from "./micro-kernels";

/** Rows of a block of whole activations, and inputs that share a scale in weights of 4 bits. */
const BLOCK: i32 = 6;
const GROUP: i32 = 32;

/** Whether the fast product of bytes is exact on this machine, at the ends of what it meets. */
export function bytesAreExact(): i32 {
  for (let a = -128; a < 128; a += 5) {
    for (let b = 0; b < 128; b += 7) {
      const signed = i8x16.replace_lane(i8x16.splat(<i8>a), 5, <i8>-a), seven = i8x16.replace_lane(i8x16.splat(<i8>b), 9, 127);
      const fast = dotFast(signed, seven, i32x4.splat(a * 1000003));
      if (v128.any_true(v128.xor(fast, dotPlain(signed, seven, i32x4.splat(a * 1000003))))) return 0;
    }
  }
  return 1;
}

@inline
function stepsOf(bits: i32, K: i32): i32 {
  return bits == 8 ? (K + 3) >> 2 : ((K + 31) >> 5) << 2;
}
@inline
function groupsOf(bits: i32, K: i32): i32 {
  return bits == 8 ? 1 : (K + 31) >> 5;
}

/** Packs rows of x in blocks, [K][ROWS] each: an item is 16 blocks. */
export function quantizedBlocks(
  item: i32, scratch: usize, x: usize, xRow: i32, xColumn: i32, M: i32, K: i32, blocks: usize,
): void {
  const last = min((M + ROWS - 1) / ROWS, (item + 1) << 4);
  for (let b = item << 4; b < last; b++) {
    const m = b * ROWS;
    packRows(x + (<usize>(m * xRow) << 2), xRow, xColumn, min(ROWS, M - m), K, blocks + (<usize>(m * K) << 2));
  }
}

export function quantizedPanelsScratch(K: i32): i32 {
  return ((K + 31) & ~31) * 32 + ROWS * 32;
}

/** A panel of weights becomes floats, [K][8], and meets all blocks of rows. */
export function quantizedPanels(
  item: i32, scratch: usize, blocks: usize, data: usize, scale: usize, bits: i32, y: usize, M: i32, N: i32, K: i32,
): void {
  const edge = scratch;
  const panel = scratch + ROWS * 32;
  const width = min(8, N - (item << 3));
  const from = data + <usize>item * (<usize>stepsOf(bits, K) << 5);
  const groups = groupsOf(bits, K);
  const scales = scale + (<usize>((item << 3) * groups) << 2);
  if (bits == 8) bytesToFloats(from, scales, width, K, panel);
  else halvesToFloats(from, scales, groups, width, K, panel);
  for (let m = 0; m < M; m += ROWS) {
    const block = blocks + (<usize>(m * K) << 2);
    const to = y + ((<usize>m * <usize>N + <usize>(item << 3)) << 2);
    const rows = min(ROWS, M - m);
    if (rows == ROWS && width == 8) {
      full(block, panel, K, to, <usize>N << 2, false);
      continue;
    }
    full(block, panel, K, edge, 32, false);
    for (let r = 0; r < rows; r++) {
      memory.copy(to + ((<usize>r * <usize>N) << 2), edge + (<usize>r << 5), <usize>width << 2);
    }
  }
}

function bytesToFloats(from: usize, scales: usize, width: i32, K: i32, to: usize): void {
  for (let r = 0; r < 8; r++) {
    const scale: f32 = r < width ? load<f32>(scales + (<usize>r << 2)) : 0;
    for (let k = 0; k < K; k++) {
      const at = from + (<usize>(k >> 2) << 5) + (<usize>r << 2) + <usize>(k & 3);
      store<f32>(to + (<usize>k << 5) + (<usize>r << 2), scale * <f32>load<i8>(at));
    }
  }
}

function halvesToFloats(from: usize, scales: usize, groups: i32, width: i32, K: i32, to: usize): void {
  for (let r = 0; r < 8; r++) {
    for (let k = 0; k < K; k++) {
      const scale: f32 = r < width ? load<f32>(scales + (<usize>(r * groups + k / GROUP) << 2)) : 0;
      const byte = <i32>load<u8>(from + (<usize>(k >> 3) << 5) + (<usize>r << 2) + <usize>(k & 3));
      const whole = ((k & 4) == 0 ? byte & 15 : byte >> 4) - 8;
      store<f32>(to + (<usize>k << 5) + (<usize>r << 2), scale * <f32>whole);
    }
  }
}

/** One row of x, in one piece and padded with zeros to whole groups, against `step` panels. */
export function quantizedRow(
  item: i32, scratch: usize, x: usize, data: usize, scale: usize, bits: i32, y: usize, N: i32, K: i32, step: i32,
): void {
  const panels = (N + 7) >> 3;
  const last = min(panels, (item + 1) * step);
  const bytes = <usize>stepsOf(bits, K) << 5;
  const groups = groupsOf(bits, K);
  for (let p = item * step; p < last; p++) {
    const from = data + <usize>p * bytes;
    const scales = scale + (<usize>((p << 3) * groups) << 2);
    const width = min(8, N - (p << 3));
    for (let half = 0; half < 2; half++) {
      const known = min(4, width - 4 * half);
      if (known <= 0) continue;
      const own = scales + (<usize>(4 * half * groups) << 2);
      const at = from + (<usize>half << 4);
      const sums = bits == 8 ? rowByBytes(x, at, bytes) : rowByHalves(x, at, bytes, own, groups, known);
      const to = y + (<usize>((p << 3) + 4 * half) << 2);
      for (let r = 0; r < known; r++) {
        v128.store(scratch, sums);
        const by: f32 = bits == 8 ? load<f32>(own + (<usize>r << 2)) : 1;
        store<f32>(to + (<usize>r << 2), load<f32>(scratch + (<usize>r << 2)) * by);
      }
    }
  }
}

/** Four outputs: their bytes, times four inputs each. */
function rowByBytes(x: usize, from: usize, bytes: usize): v128 {
  let s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
  const end = from + bytes;
  for (; from < end; from += 32, x += 16) {
    const whole = v128.load(from);
    const v = v128.load(x);
    const low = i16x8.extend_low_i8x16_s(whole), high = i16x8.extend_high_i8x16_s(whole);
    s0 = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), v, s0);
    s1 = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), v, s1);
    s2 = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), v, s2);
    s3 = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), v, s3);
  }
  return sumsOf(s0, s1, s2, s3);
}

/** Four outputs of 4 bits: eight inputs a step, a scale for each 32. */
function rowByHalves(x: usize, from: usize, bytes: usize, scales: usize, groups: i32, known: i32): v128 {
  let t0 = zero(), t1 = zero(), t2 = zero(), t3 = zero();
  const end = from + bytes;
  const across = <usize>groups << 2;
  // Of fewer than four outputs the first one's scales are read again.
  const r1 = known > 1 ? across : 0, r2 = known > 2 ? across * 2 : 0, r3 = known > 3 ? across * 3 : 0;
  while (from < end) {
    let s0 = zero(), s1 = zero(), s2 = zero(), s3 = zero();
    for (let step = 0; step < 4; step++, from += 32, x += 32) {
      const both = v128.load(from);
      for (let part = 0; part < 2; part++) {
        const half = part == 0 ? v128.and(both, i8x16.splat(15)) : i8x16.shr_u(both, 4);
        const whole = i8x16.sub(half, i8x16.splat(8));
        const v = v128.load(x + (<usize>part << 4));
        const low = i16x8.extend_low_i8x16_s(whole), high = i16x8.extend_high_i8x16_s(whole);
        s0 = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), v, s0);
        s1 = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), v, s1);
        s2 = madd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), v, s2);
        s3 = madd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), v, s3);
      }
    }
    t0 = madd(v128.load32_splat(scales), s0, t0);
    t1 = madd(v128.load32_splat(scales + r1), s1, t1);
    t2 = madd(v128.load32_splat(scales + r2), s2, t2);
    t3 = madd(v128.load32_splat(scales + r3), s3, t3);
    scales += 4;
  }
  return sumsOf(t0, t1, t2, t3);
}

/**
 * Rows of x become whole numbers from -63 to 63, 64 more each, packed in blocks as [step][6][4], what is missing as 64; and
 * for each row what they are multiplied with. An item is one block. Returns 1 if a number is none.
 */
export function quantizeRows(
  item: i32, scratch: usize, x: usize, xRow: i32, xColumn: i32, M: i32, K: i32, blocks: usize, factors: usize,
): i32 {
  const steps = (K + 3) >> 2;
  const rows = min(BLOCK, M - item * BLOCK);
  // A block of its own size where there are fewer rows than it takes: then each row is a block of one.
  const high = M < BLOCK ? 1 : BLOCK;
  const to = blocks + <usize>(item * BLOCK) * (<usize>steps << 2);
  memory.fill(to, 64, <usize>(high == 1 ? rows : BLOCK) * (<usize>steps << 2));
  for (let r = 0; r < rows; r++) {
    const from = x + (<usize>((item * BLOCK + r) * xRow) << 2);
    let largest: f32 = 0;
    for (let k = 0; k < K; k++) {
      const size = abs<f32>(load<f32>(from + (<usize>(k * xColumn) << 2)));
      if (size - size != 0) return 1;
      largest = max<f32>(largest, size);
    }
    store<f32>(factors + (<usize>(item * BLOCK + r) << 2), largest > 0 ? largest / 63 : 1);
    if (!(largest > 0)) continue;
    const per: f32 = 63 / largest;
    const at = high == 1 ? to + <usize>r * (<usize>steps << 2) : to + (<usize>r << 2);
    const step = <usize>high << 2;
    for (let k = 0; k < K; k++) {
      const near = nearest<f32>(max<f32>(-63, min<f32>(63, load<f32>(from + (<usize>(k * xColumn) << 2)) * per)));
      store<u8>(at + <usize>(k >> 2) * step + <usize>(k & 3), <u8>(<i32>near + 64));
    }
  }
  return 0;
}

/** Bytes of scratch of `wholePanels`: a row of 64s, sums of a block, and 64 times the sums of the weights. */
export function quantizeScratch(K: i32): i32 {
  return ((((K + 3) >> 2) << 2) + 64 + BLOCK * 32 + 32 + 63) & ~63;
}

/** Whole activations, in blocks, against `step` panels of whole weights. */
export function wholePanels(
  item: i32, scratch: usize, blocks: usize, factors: usize, data: usize, scale: usize, y: usize,
  M: i32, N: i32, K: i32, step: i32, exact: i32,
): void {
  const steps = (K + 3) >> 2;
  const sums = scratch;
  const offsets = sums + BLOCK * 32;
  const sixtyFour = offsets + 32;
  memory.fill(sixtyFour, 64, <usize>steps << 2);
  const panels = (N + 7) >> 3;
  const first = item * step, last = min(panels, first + step);
  // Rows that stay in a core's own cache while the panels pass.
  const rowsAtOnce = max(BLOCK, (131072 / (steps << 2)) / BLOCK * BLOCK);
  for (let m0 = 0; m0 < M; m0 += rowsAtOnce) {
    const end = min(M, m0 + rowsAtOnce);
    for (let p = first; p < last; p++) {
      const panel = data + <usize>p * (<usize>steps << 5);
      const width = min(8, N - (p << 3));
      if (exact) dotFast1(sixtyFour, panel, steps, offsets);
      else dotPlain1(sixtyFour, panel, steps, offsets);
      const o0 = v128.load(offsets), o1 = v128.load(offsets, 16);
      const scales = scale + (<usize>p << 5);
      const w0 = width == 8 ? v128.load(scales) : zero(), w1 = width == 8 ? v128.load(scales, 16) : zero();
      for (let m = m0; m < end; ) {
        const block = blocks + <usize>m * (<usize>steps << 2);
        const rows = M < BLOCK ? 1 : min(BLOCK, M - m);
        if (M < BLOCK) {
          if (exact) dotFast1(block, panel, steps, sums);
          else dotPlain1(block, panel, steps, sums);
        } else if (exact) {
          dotFast6(block, panel, steps, sums);
        } else {
          dotPlain6(block, panel, steps, sums);
        }
        for (let r = 0; r < rows; r++) {
          const at = sums + (<usize>r << 5);
          const to = y + ((<usize>(m + r) * <usize>N + <usize>(p << 3)) << 2);
          const factor = v128.load32_splat(factors + (<usize>(m + r) << 2));
          const a = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(at), o0)), factor);
          const b = f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(at, 16), o1)), factor);
          if (width == 8) {
            v128.store(to, f32x4.mul(a, w0));
            v128.store(to, f32x4.mul(b, w1), 16);
            continue;
          }
          v128.store(at, a);
          v128.store(at, b, 16);
          for (let c: usize = 0; c < <usize>width << 2; c += 4) store<f32>(to + c, load<f32>(at + c) * load<f32>(scales + c));
        }
        m += rows;
      }
    }
  }
}
