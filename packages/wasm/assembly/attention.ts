// One tile of attention: 64 queries against up to 64 keys. Scores are kept key by key, [key][64 queries], so that softmax
// works on four queries at a time with no sums across lanes. attention-forward.ts walks the tiles.
import { exp4, power4, powerNumbers, zero } from "./lanes";
import { mix1, mix4, mix6, score1, score4, score6 } from "./micro-kernels";

const QUERIES: i32 = 64;
const KEYS: i32 = 64;
/** Bytes from one key's scores to the next key's. */
const ROW: usize = 256;
const BLOCK: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
/** Where a query has seen no key yet; and a hidden score, far below it, whose power is exactly 0. */
const NONE: f32 = -1e30;
const HIDDEN: f32 = -3e38;

/** Scratch: scores, then per query the largest score, the sum, the correction, then the packed queries and mixtures. */
@inline
function largestAt(scratch: usize): usize {
  return scratch + <usize>(KEYS + 8) * ROW;
}
@inline
function sumAt(scratch: usize): usize {
  return largestAt(scratch) + 320;
}
@inline
function correctionAt(scratch: usize): usize {
  return sumAt(scratch) + 320;
}
@inline
function queriesAt(scratch: usize): usize {
  return correctionAt(scratch) + 320;
}
@inline
function mixtureAt(scratch: usize, dim: i32): usize {
  return queriesAt(scratch) + <usize>dim * ROW;
}

/** Bytes of scratch for heads of `dim` and values of `width`, a multiple of 8. */
export function attentionScratch(dim: i32, width: i32): i32 {
  return <i32>mixtureAt(0, dim) + (QUERIES + 8) * width * 4;
}

/** Takes in a tile's queries, scaled, packed as [panel of 8][dim][8]; and forgets what was mixed before. */
export function beginTile(
  query: usize,
  row: i32,
  column: i32,
  count: i32,
  dim: i32,
  width: i32,
  scale: f32,
  scratch: usize,
): void {
  for (let panel = 0; panel < count; panel += 8) {
    const to = queriesAt(scratch) + ((<usize>panel * <usize>dim) << 2);
    for (let r = 0; r < 8; r++) {
      const known = panel + r < count;
      let from = query + ((<usize>(panel + r) * <usize>row) << 2);
      let at = to + (<usize>r << 2);
      for (let d = 0; d < dim; d++) {
        store<f32>(at, known ? load<f32>(from) * scale : 0);
        from += <usize>column << 2;
        at += 32;
      }
    }
  }
  // Blocks of queries may reach a little over the last one.
  const end = <usize>(count + 8) << 2;
  memory.fill(mixtureAt(scratch, dim), 0, end * <usize>width);
  memory.fill(sumAt(scratch), 0, end);
  for (let i: usize = 0; i < end; i += 4) {
    store<f32>(largestAt(scratch) + i, NONE);
    store<f32>(correctionAt(scratch) + i, 1);
  }
}

/**
 * Scores of the tile's queries against `keys` keys.
 *
 * @param bits - Where the tile's mask begins, two words a query, 0 for none.
 */
export function scoreTile(
  key: usize,
  row: i32,
  keys: i32,
  count: i32,
  dim: i32,
  softcap: f32,
  bits: usize,
  scratch: usize,
): void {
  const stride = <usize>row << 2;
  const panels = (count + 7) >> 3;
  for (let p = 0; p < panels; p++) {
    const queries = queriesAt(scratch) + ((<usize>(p << 3) * <usize>dim) << 2);
    const to = scratch + (<usize>p << 5);
    let j = 0;
    for (; j + BLOCK <= keys; j += BLOCK) {
      const from = key + <usize>j * stride;
      if (ASC_FEATURE_RELAXED_SIMD) score6(from, stride, queries, dim, to + <usize>j * ROW);
      else score4(from, stride, queries, dim, to + <usize>j * ROW);
    }
    for (; j < keys; j++) score1(key + <usize>j * stride, stride, queries, dim, to + <usize>j * ROW);
  }
  if (softcap > 0) capScores(keys, panels, softcap, scratch);
  if (bits != 0) {
    for (let i = 0; i < count; i++) {
      const low = load<u32>(bits + (<usize>i << 3));
      const high = load<u32>(bits + (<usize>i << 3), 4);
      let at = scratch + (<usize>i << 2);
      for (let j = 0; j < keys; j++, at += ROW) {
        const seen = j < 32 ? (low >>> j) & 1 : (high >>> (j - 32)) & 1;
        if (!seen) store<f32>(at, HIDDEN);
      }
    }
  }
}

/** softcap · tanh(score / softcap) */
function capScores(keys: i32, panels: i32, softcap: f32, scratch: usize): void {
  const two = f32x4.splat(2 / softcap);
  const one = f32x4.splat(1);
  const cap = f32x4.splat(softcap);
  for (let j = 0; j < keys; j++) {
    const at = scratch + <usize>j * ROW;
    for (let i: usize = 0; i < <usize>panels << 5; i += 16) {
      // tanh y = 1 - 2 / (e^2y + 1)
      const power = exp4(f32x4.mul(v128.load(at + i), two));
      const tanh = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(power, one)));
      v128.store(at + i, f32x4.mul(cap, tanh));
    }
  }
}

/**
 * Softmax goes on with this tile's scores, and the values are mixed in.
 *
 * @returns Whether all numbers were finite; if not, what was mixed means nothing.
 */
export function mixTile(
  value: usize,
  row: i32,
  keys: i32,
  count: i32,
  dim: i32,
  width: i32,
  scratch: usize,
): bool {
  const panels = (count + 7) >> 3;
  let odd = zero();
  for (let i: usize = 0; i < <usize>panels << 5; i += 16) odd = v128.or(odd, softmaxLanes(scratch, i, keys));
  if (v128.any_true(odd)) return false;
  const stride = <usize>row << 2;
  const bytes = <usize>width << 2;
  const mixture = mixtureAt(scratch, dim);
  let q = 0;
  for (; q + BLOCK <= count; q += BLOCK) {
    for (let d: usize = 0; d < bytes; d += 32) {
      const weights = scratch + (<usize>q << 2);
      const to = mixture + <usize>q * bytes + d;
      const correction = correctionAt(scratch) + (<usize>q << 2);
      if (ASC_FEATURE_RELAXED_SIMD) mix6(weights, value + d, stride, keys, to, bytes, correction);
      else mix4(weights, value + d, stride, keys, to, bytes, correction);
    }
  }
  for (; q < count; q++) {
    for (let d: usize = 0; d < bytes; d += 32) {
      const correction = correctionAt(scratch) + (<usize>q << 2);
      mix1(scratch + (<usize>q << 2), value + d, stride, keys, mixture + <usize>q * bytes + d, bytes, correction);
    }
  }
  return true;
}

/** Four queries: their scores become powers, their largest and sum go on. Returns lanes that met no finite number. */
function softmaxLanes(scratch: usize, lane: usize, keys: i32): v128 {
  const at0 = powerNumbers;
  const scale = v128.load(at0), floor = v128.load(at0, 16), magic = v128.load(at0, 32);
  const c5 = v128.load(at0, 48), c4 = v128.load(at0, 64), c3 = v128.load(at0, 80);
  const c2 = v128.load(at0, 96), c1 = v128.load(at0, 112), c0 = v128.load(at0, 128);
  const before = v128.load(largestAt(scratch) + lane);
  const end = scratch + lane + <usize>keys * ROW;
  let largest = before;
  let odd = zero();
  for (let at = scratch + lane; at < end; at += ROW) {
    const score = v128.load(at);
    largest = f32x4.pmax(largest, score);
    // NaN is not itself, and infinity minus itself is not either.
    const difference = f32x4.sub(score, score);
    odd = v128.or(odd, f32x4.ne(difference, difference));
  }
  const correction = power4(f32x4.sub(before, largest), scale, floor, magic, c5, c4, c3, c2, c1, c0);
  let sum = f32x4.mul(v128.load(sumAt(scratch) + lane), correction);
  for (let at = scratch + lane; at < end; at += ROW) {
    const power = power4(f32x4.sub(v128.load(at), largest), scale, floor, magic, c5, c4, c3, c2, c1, c0);
    v128.store(at, power);
    sum = f32x4.add(sum, power);
  }
  v128.store(largestAt(scratch) + lane, largest);
  v128.store(sumAt(scratch) + lane, sum);
  v128.store(correctionAt(scratch) + lane, correction);
  return odd;
}

/** Writes the mixtures, divided by their sums, and the logarithms of the sums; zeros and -infinity where nothing was seen. */
export function endTile(
  output: usize,
  lse: usize,
  count: i32,
  dim: i32,
  width: i32,
  valueDim: i32,
  scratch: usize,
): void {
  for (let q = 0; q < count; q++) {
    const sum = load<f32>(sumAt(scratch) + (<usize>q << 2));
    const largest = load<f32>(largestAt(scratch) + (<usize>q << 2));
    const seen = sum > 0;
    const factor: f32 = seen ? 1 / sum : 0;
    const from = mixtureAt(scratch, dim) + ((<usize>q * <usize>width) << 2);
    const to = output + ((<usize>q * <usize>valueDim) << 2);
    for (let d = 0; d < valueDim; d++) store<f32>(to + (<usize>d << 2), load<f32>(from + (<usize>d << 2)) * factor);
    store<f32>(lse + (<usize>q << 2), seen ? largest + <f32>NativeMath.log(<f64>sum) : -Infinity);
  }
}
