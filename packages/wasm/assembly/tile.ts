// One tile of attention: 64 queries times up to 64 keys. Scores are stored as [key][64 queries], so that softmax processes four
// queries at a time without sums across lanes.
import { AttentionRequest, Level } from "./layout";
import { resultRegister, runSteps, STRIP } from "./expression";
import { exp4, zero } from "./lanes";
import { ROW } from "./strip";
import {
  gather1,
  gather4,
  gather6,
  accumulateQueries1,
  accumulateQueries4,
  accumulateQueries6,
  score1,
  score4,
  score6,
} from "./micro-kernels";

export const QUERIES: i32 = 64;
export const KEYS: i32 = 64;
export { ROW };
/** Bytes of a tile, with room for a block that extends beyond its end. */
export const TILE: usize = 72 * ROW;
/** Bytes of one number for each query of a tile, with the same room. */
export const LANES: usize = 320;

/** Rows of the next block if `left` rows remain. Eight rows are two blocks of four, because a block of one or two rows is slow. */
@inline
export function blockHeight(left: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD && left >= 6 && left != 8) return 6;
  return left >= 4 ? 4 : min(left, 1);
}

/** Score of a masked key: its exponential is exactly 0. */
export const MASKED: f32 = -3e38;

/** Packs up to 64 rows of a tile, times `scale`, as [panel of 8][dim][8], padded with zeros. */
export function packQueries(
  from: usize,
  row: i32,
  column: i32,
  count: i32,
  dim: i32,
  scale: f32,
  to: usize,
): void {
  const across = (<usize>row) << 2;
  for (let panel = 0; panel < count; panel += 8) {
    const at = to + ((<usize>(panel * dim)) << 2);
    const source = from + <usize>panel * across;
    const inLanes = column == 1 && panel + 8 <= count ? dim & ~3 : 0;
    for (let d: usize = 0; d < (<usize>inLanes) << 2; d += 16) {
      scaleTransposed(source + d, across, scale, at + (d << 3));
      scaleTransposed(source + (across << 2) + d, across, scale, at + (d << 3) + 16);
    }
    for (let r = 0; r < 8; r++) {
      const isRow = panel + r < count;
      for (let d = inLanes; d < dim; d++) {
        const x: f32 = isRow
          ? load<f32>(source + <usize>r * across + ((<usize>(d * column)) << 2)) * scale
          : 0;
        store<f32>(at + ((<usize>d) << 5) + ((<usize>r) << 2), x);
      }
    }
  }
}

/** Transposes four rows of four numbers, times `scale`; columns are stored 32 bytes apart. */
@inline
function scaleTransposed(from: usize, across: usize, scale: f32, to: usize): void {
  const by = f32x4.splat(scale);
  const r0 = f32x4.mul(by, v128.load(from));
  const r1 = f32x4.mul(by, v128.load(from + across));
  const r2 = f32x4.mul(by, v128.load(from + across * 2));
  const r3 = f32x4.mul(by, v128.load(from + across * 3));
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(a, b, 0, 2));
  v128.store(to, v128.shuffle<i64>(a, b, 1, 3), 32);
  v128.store(to, v128.shuffle<i64>(c, d, 0, 2), 64);
  v128.store(to, v128.shuffle<i64>(c, d, 1, 3), 96);
}

/**
 * Finds for each panel of 8 queries the number of keys up to the last one that any of them sees. Later keys need not be computed.
 *
 * @param bits - Address of the tile's mask, two words per query; 0 if nothing is masked.
 */
export function findKeyLimits(bits: usize, panels: i32, keys: i32, to: usize): void {
  for (let p = 0; p < panels; p++) {
    let low: u32 = 0;
    let high: u32 = 0;
    for (let at = bits + ((<usize>p) << 6), end = at + 64; bits != 0 && at < end; at += 8) {
      low |= load<u32>(at);
      high |= load<u32>(at, 4);
    }
    const seen = bits == 0 ? keys : high != 0 ? 64 - <i32>clz(high) : 32 - <i32>clz(low);
    store<i32>(to + ((<usize>p) << 2), min(keys, seen));
  }
}

/** Bytes of the leading panels of queries that see no key from `first` on. */
export function maskedBytes(limits: usize, first: i32, bytes: usize): usize {
  let skip: usize = 0;
  while (skip < bytes && load<i32>(limits + (skip >> 3)) <= first) skip += 32;
  return skip;
}

/** to[key][query] = key · query for each panel of queries up to its limit, 0 after it. */
export function multiplyTile(
  key: usize,
  stride: usize,
  count: i32,
  limits: usize,
  queries: usize,
  panels: i32,
  dim: i32,
  to: usize,
): void {
  for (let p = 0; p < panels; p++) {
    const keys = load<i32>(limits + ((<usize>p) << 2));
    const panel = queries + ((<usize>((p << 3) * dim)) << 2);
    const at = to + ((<usize>p) << 5);
    let j = 0;
    for (let block = blockHeight(keys); block > 0; j += block, block = blockHeight(keys - j)) {
      const from = key + <usize>j * stride;
      const scores = at + <usize>j * ROW;
      if (ASC_FEATURE_RELAXED_SIMD && block == 6) score6(from, stride, panel, dim, scores);
      else if (block == 4) score4(from, stride, panel, dim, scores);
      else score1(from, stride, panel, dim, scores);
    }
    for (; j < count; j++) {
      v128.store(at + <usize>j * ROW, zero());
      v128.store(at + <usize>j * ROW, zero(), 16);
    }
  }
}

/** output[query] = output[query] · correction + Σ over keys of weight · value, for rows of `width` numbers, a multiple of 8. */
export function accumulateValues(
  weights: usize,
  value: usize,
  stride: usize,
  limits: usize,
  count: i32,
  width: i32,
  sums: usize,
  correction: usize,
): void {
  const bytes = (<usize>width) << 2;
  let q = 0;
  for (let block = blockHeight(count); block > 0; q += block, block = blockHeight(count - q)) {
    const keys = max(panelLimit(limits, q), panelLimit(limits, q + block - 1));
    const from = weights + ((<usize>q) << 2);
    const by = correction + ((<usize>q) << 2);
    accumulateBlock(block, from, value, stride, keys, sums + <usize>q * bytes, bytes, bytes, by);
  }
}

/**
 * sums[row] = sums[row] · correction[row] + Σ over keys of weight[key][row] · value[key]
 *
 * @param block - Rows of the sums, `step` bytes apart: 1, 4, or 6 with relaxed SIMD.
 * @param bytes - Bytes of a row that are computed, a multiple of 32.
 */
export function accumulateBlock(
  block: i32,
  weights: usize,
  value: usize,
  stride: usize,
  keys: i32,
  sums: usize,
  step: usize,
  bytes: usize,
  correction: usize,
): void {
  for (let d: usize = 0; d < bytes; d += 32) {
    if (ASC_FEATURE_RELAXED_SIMD && block == 6)
      accumulateQueries6(weights, value + d, stride, keys, sums + d, step, correction);
    else if (block == 4) accumulateQueries4(weights, value + d, stride, keys, sums + d, step, correction);
    else accumulateQueries1(weights, value + d, stride, keys, sums + d, step, correction);
  }
}

@inline
function panelLimit(limits: usize, query: i32): i32 {
  return load<i32>(limits + ((<usize>(query >> 3)) << 2));
}

/** sums[key] += Σ over queries of weight · row, for rows of `width` numbers, a multiple of 8. */
export function gatherRows(
  weights: usize,
  row: usize,
  stride: usize,
  keys: i32,
  limits: usize,
  count: i32,
  width: i32,
  sums: usize,
): void {
  const bytes = (<usize>width) << 2;
  for (let j = 0; j < keys;) {
    // Leading panels of queries that see no key from j on are skipped.
    let q = 0;
    while (q < count && panelLimit(limits, q) <= j) q += 8;
    if (q >= count) return;
    const block = blockHeight(keys - j);
    for (let d: usize = 0; d < bytes; d += 32) {
      const from = weights + <usize>j * ROW + ((<usize>q) << 2);
      const to = sums + <usize>j * bytes + d;
      const at = row + <usize>q * stride + d;
      if (ASC_FEATURE_RELAXED_SIMD && block == 6) gather6(from, at, stride, count - q, to, bytes);
      else if (block == 4) gather4(from, at, stride, count - q, to, bytes);
      else gather1(from, at, stride, count - q, to, bytes);
    }
    j += block;
  }
}

/** Applies the softcap to the scores of some keys: softcap · tanh(score / softcap). */
export function capScores(softcap: f32, at: usize, keys: i32, bytes: usize): void {
  const two = f32x4.splat(2 / softcap);
  const one = f32x4.splat(1);
  const cap = f32x4.splat(softcap);
  for (let j = 0; j < keys; j++, at += ROW) {
    for (let i = at; i < at + bytes; i += 16) {
      // tanh y = 1 - 2 / (e^2y + 1)
      const power = exp4(f32x4.mul(v128.load(i), two));
      const tanh = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(power, one)));
      v128.store(i, f32x4.mul(cap, tanh));
    }
  }
}

/** Writes the positions of the tile's keys, as float32, for expressions. */
export function keyPositions(request: AttentionRequest, batch: i32, start: i32, keys: i32, to: usize): void {
  for (let j = 0; j < keys; j++) {
    const listed = request.positions + ((<usize>(batch * request.positionBatch + start + j)) << 2);
    store<f32>(
      to + ((<usize>j) << 2),
      <f32>(request.positions == 0 ? request.firstKey + start + j : load<i32>(listed)),
    );
  }
}

/** Applies scoreMod to the scores of visible keys. -infinity becomes the score of a masked key. */
export function modScores(
  program: usize,
  registers: usize,
  scores: usize,
  batch: i32,
  head: i32,
  query: i32,
  positions: usize,
  limits: usize,
  keys: i32,
  bytes: usize,
): void {
  const masked = f32x4.splat(MASKED);
  for (let j = 0; j < keys; j += STRIP) {
    const rows = min(STRIP, keys - j);
    const skip = maskedBytes(limits, j, bytes);
    const strip = scores + <usize>j * ROW;
    runSteps(
      program,
      registers + skip,
      Level.score,
      strip + skip,
      batch,
      head,
      query,
      positions + ((<usize>j) << 2),
      rows,
      bytes - skip,
    );
    const result = resultRegister(program, registers);
    for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
      for (let i = r + skip; i < r + bytes; i += 16)
        v128.store(strip + i, f32x4.pmax(v128.load(result + i), masked));
    }
  }
}

/**
 * Masks the scores of keys `first` … `first + rows - 1` whose bit in the mask, two words per query, is not set. It processes four
 * queries at a time; the mask also has bits for queries beyond the last one.
 */
export function maskScores(bits: usize, scores: usize, first: i32, rows: i32, bytes: usize): void {
  const masked = f32x4.splat(MASKED);
  for (let lane: usize = 0; lane < bytes; lane += 16) {
    const two = v128.load(bits + (lane << 1));
    const more = v128.load(bits + (lane << 1), 16);
    const low = v128.shuffle<i32>(two, more, 0, 2, 4, 6);
    const high = v128.shuffle<i32>(two, more, 1, 3, 5, 7);
    let at = scores + lane;
    for (let j = first; j < first + rows; j++, at += ROW) {
      // The bit is shifted to the sign, which an arithmetic shift copies to the whole lane.
      const seen = i32x4.shr_s(i32x4.shl(j < 32 ? low : high, 31 - (j & 31)), 31);
      v128.store(at, v128.bitselect(v128.load(at), masked, seen));
    }
  }
}

/** Returns true if all numbers are finite. If `count` is not a multiple of 4, the numbers up to the next one are tested, too. */
export function allFinite(from: usize, count: i32): bool {
  let odd = zero();
  for (let i: usize = 0; i < (<usize>count) << 2; i += 16) {
    const x = v128.load(from + i);
    const difference = f32x4.sub(x, x);
    odd = v128.or(odd, f32x4.ne(difference, difference));
  }
  return !v128.any_true(odd);
}
