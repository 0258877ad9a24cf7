// Attention of a single query, as in decoding: keys and values are read once for all query heads that share them. An item
// is one head of keys and values and a chunk of its keys, of a length that does not depend on threads; another export
// puts the chunks together.
import { largestOf, madd, power4, powerNumbers, sumOf, sumsOf, zero } from "./lanes";
import { blend1x16, blend1x2, blend1x8, blend2x2, blend2x4, dots1x4, dots2x4 } from "./micro-kernels";
import { findRows, partsOf, Request, rowStep } from "./request";
import { allFinite, capScores, HIDDEN, KEYS } from "./tile";

/** Tiles of a chunk. The same in src/kernels/attention.ts. */
const TILES: i32 = 16;
const NONE: f32 = -1e30;
/** Bytes of one head's scores, with room for a block of keys that reaches over the last. */
const SCORES: usize = 272;
/** Bytes of keys, then of values, that are read in turns: a page each, see docs/decisions/0008-pages-in-turns.md. */
const TURN: usize = 4096;

/** Scores of the tile whose keys are read, and weights of the tile before, whose values are. */
let scoresAt: usize = 0;
let weightsAt: usize = 0;
let correctionAt: usize = 0;
let queryAt: usize = 0;
let keyAt: usize = 0;
let valueAt: usize = 0;

function layOut(request: Request, scratch: usize): usize {
  const wide = (request.dim + 3) & ~3, width = (request.valueDim + 7) & ~7;
  scoresAt = scratch;
  weightsAt = scoresAt + <usize>request.group * SCORES;
  correctionAt = weightsAt + <usize>request.group * SCORES;
  queryAt = correctionAt + ((<usize>request.group + 3) & ~3) * 4;
  keyAt = queryAt + (<usize>(request.group * wide) << 2);
  valueAt = keyAt + (<usize>((KEYS + 3) * wide) << 2);
  return valueAt + (<usize>(KEYS * width) << 2);
}

/** Bytes of scratch of one thread. */
export function attentionDecodeScratch(request: usize): i32 {
  return <i32>layOut(changetype<Request>(request), 0);
}

/** Numbers of what one chunk is worth to one head: the largest score, the sum, two of nothing, and the mixture. */
@inline
function partialNumbers(request: Request): i32 {
  return 4 + ((request.valueDim + 7) & ~7);
}

/** Returns 1 if a score was no number. */
export function attentionDecode(item: i32, scratch: usize, at: usize): i32 {
  const request = changetype<Request>(at);
  layOut(request, scratch);
  const group = request.group, dim = request.dim, valueDim = request.valueDim;
  const wide = (dim + 3) & ~3, width = (valueDim + 7) & ~7;
  const kvHeads = request.heads / group;
  const chunks = (request.columns + TILES - 1) / TILES;
  const place = item / chunks, chunk = item % chunks;
  const batch = place / kvHeads, kvHead = place % kvHeads;
  const head = kvHead * group;
  const numbers = partialNumbers(request);
  const partial = request.partials + ((<usize>((batch * request.heads + head) * chunks + chunk) * <usize>numbers) << 2);
  const step = <usize>(chunks * numbers) << 2;
  for (let g = 0; g < group; g++) {
    takeQuery(request, batch, head + g, queryAt + (<usize>(g * wide) << 2), wide);
    memory.fill(partial + <usize>g * step, 0, <usize>numbers << 2);
    store<f32>(partial + <usize>g * step, NONE);
  }
  const last = min(request.columns, (chunk + 1) * TILES);
  const keyBytes = <usize>wide << 2, valueBytes = <usize>width << 2;
  // The tile before, whose weights are known.
  let value: usize = 0, valueStride: usize = 0, values = 0;
  for (let column = chunk * TILES; column < last; column++) {
    let seen = 0;
    for (let g = 0; g < group; g++) seen |= classOf(request, batch, head + g, column);
    if (seen == 0) continue;
    const start = column << 6;
    const length = min(KEYS, request.keys - start);
    const key = findRows(partsOf(request, 0), batch, kvHead, start, length, dim, wide, keyAt);
    const keyStride = <usize>rowStep << 2;
    const turn = max(4, <i32>(TURN / keyBytes) & ~3);
    for (let j = 0; j < KEYS; j += turn) {
      if (j < length) multiply(key, keyStride, j, min(j + turn, length), group, keyBytes);
      if (j < values) blend(value, valueStride, j, min(j + turn, values), group, valueBytes, partial + 16, step);
    }
    for (let g = 0; g < group; g++) {
      const scores = scoresAt + <usize>g * SCORES;
      if (request.softcap > 0) capScores(request.softcap, scores, 1, (<usize>length + 3 & ~3) << 2);
      hide(request, batch, head + g, column, scores, length);
      if (!soften(scores, length, partial + <usize>g * step, correctionAt + (<usize>g << 2))) return 1;
    }
    const softened = scoresAt;
    scoresAt = weightsAt;
    weightsAt = softened;
    value = findRows(partsOf(request, 1), batch, kvHead, start, length, valueDim, width, valueAt);
    valueStride = <usize>rowStep << 2;
    values = length;
  }
  if (values > 0) blend(value, valueStride, 0, values, group, valueBytes, partial + 16, step);
  return 0;
}

function classOf(request: Request, batch: i32, head: i32, column: i32): i32 {
  return load<u8>(request.classes + <usize>(batch * request.planBatch + head * request.planHead + column));
}

function takeQuery(request: Request, batch: i32, head: i32, to: usize, wide: i32): void {
  const from = request.query + (<usize>(batch * request.queryBatch + head * request.queryHead) << 2);
  for (let d = 0; d < wide; d++) {
    const x: f32 = d < request.dim ? load<f32>(from + (<usize>(d * request.queryColumn) << 2)) * request.scale : 0;
    store<f32>(to + (<usize>d << 2), x);
  }
}

/**
 * Dot products of each head's query with the keys from one on to before another, multiples of 4 but for the last. The
 * first head reads one key after the other from its begin to its end, which is how memory is fast; for the other heads
 * keys lie in the core's own cache.
 */
function multiply(key: usize, stride: usize, from: i32, to: i32, group: i32, bytes: usize): void {
  const fours = to & ~3;
  for (let j = from; j < fours; j += 4) {
    const k0 = key + <usize>j * stride, k1 = k0 + stride, k2 = k1 + stride, k3 = k2 + stride;
    const sums = sumsOf(dot(k0, queryAt, bytes), dot(k1, queryAt, bytes), dot(k2, queryAt, bytes), dot(k3, queryAt, bytes));
    v128.store(scoresAt + (<usize>j << 2), sums);
  }
  let g = 1;
  for (; g + 2 <= group; g += 2) {
    const query = queryAt + <usize>g * bytes, scores = scoresAt + <usize>g * SCORES;
    for (let j = from; j < fours; j += 4) {
      dots2x4(key + <usize>j * stride, stride, query, bytes, bytes, scores + (<usize>j << 2), SCORES);
    }
  }
  if (g < group) {
    const query = queryAt + <usize>g * bytes, scores = scoresAt + <usize>g * SCORES;
    for (let j = from; j < fours; j += 4) {
      dots1x4(key + <usize>j * stride, stride, query, 0, bytes, scores + (<usize>j << 2), 0);
    }
  }
  for (let j = fours; j < to; j++) {
    for (g = 0; g < group; g++) {
      const sum = sumOf(dot(key + <usize>j * stride, queryAt + <usize>g * bytes, bytes));
      store<f32>(scoresAt + <usize>g * SCORES + (<usize>j << 2), sum);
    }
  }
}

/** Products of a key and a query, in four sums. */
@inline
function dot(key: usize, query: usize, bytes: usize): v128 {
  let a = zero(), b = zero(), c = zero(), d = zero();
  const end = query + bytes;
  for (const whole = query + (bytes & ~63); query < whole; query += 64, key += 64) {
    a = madd(v128.load(key), v128.load(query), a);
    b = madd(v128.load(key, 16), v128.load(query, 16), b);
    c = madd(v128.load(key, 32), v128.load(query, 32), c);
    d = madd(v128.load(key, 48), v128.load(query, 48), d);
  }
  for (; query < end; query += 16, key += 16) a = madd(v128.load(key), v128.load(query), a);
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
}

/** Hides what the head may not see, and what lies beyond the last key. */
function hide(request: Request, batch: i32, head: i32, column: i32, scores: usize, keys: i32): void {
  for (let j = keys; j < ((keys + 3) & ~3); j++) store<f32>(scores + (<usize>j << 2), HIDDEN);
  const whole = classOf(request, batch, head, column);
  if (whole == 2) return;
  const tile = <usize>(batch * request.planBatch + head * request.planHead + column);
  const bits = request.bits + (<usize>load<u32>(request.bitsAt + (tile << 2)) << 2);
  for (let j = 0; j < keys; j++) {
    const seen = whole == 0 ? 0 : (load<u32>(bits + (<usize>(j >> 5) << 2)) >>> (j & 31)) & 1;
    if (!seen) store<f32>(scores + (<usize>j << 2), HIDDEN);
  }
}

/** Scores become powers; the largest and the sum go on. Whether all scores were finite. */
function soften(scores: usize, keys: i32, partial: usize, correction: usize): bool {
  const at0 = powerNumbers;
  const scale = v128.load(at0), floor = v128.load(at0, 16), magic = v128.load(at0, 32);
  const c5 = v128.load(at0, 48), c4 = v128.load(at0, 64), c3 = v128.load(at0, 80);
  const c2 = v128.load(at0, 96), c1 = v128.load(at0, 112), c0 = v128.load(at0, 128);
  const end = scores + (<usize>((keys + 3) & ~3) << 2);
  const before = load<f32>(partial);
  let top = f32x4.splat(before);
  let odd = zero();
  for (let at = scores; at < end; at += 16) {
    const score = v128.load(at);
    top = f32x4.pmax(top, score);
    const difference = f32x4.sub(score, score);
    odd = v128.or(odd, f32x4.ne(difference, difference));
  }
  if (v128.any_true(odd)) return false;
  const largest = largestOf(top);
  const splat = f32x4.splat(largest);
  let sums = zero();
  for (let at = scores; at < end; at += 16) {
    const power = power4(f32x4.sub(v128.load(at), splat), scale, floor, magic, c5, c4, c3, c2, c1, c0);
    v128.store(at, power);
    sums = f32x4.add(sums, power);
  }
  const shrink = f32x4.extract_lane(
    power4(f32x4.sub(f32x4.splat(before), splat), scale, floor, magic, c5, c4, c3, c2, c1, c0), 0,
  );
  store<f32>(partial, largest);
  store<f32>(partial, load<f32>(partial, 4) * shrink + sumOf(sums), 4);
  store<f32>(correction, shrink);
  return true;
}

/**
 * Mixes the values from one on to before another into each head's mixture, which is corrected once. The first head reads
 * whole values, one after the other, as it did with keys.
 */
function blend(
  first: usize, stride: usize, from: i32, to: i32, group: i32, bytes: usize, mixture: usize, step: usize,
): void {
  const value = first + <usize>from * stride, keys = to - from;
  const all = weightsAt + (<usize>from << 2);
  let d: usize = 0;
  for (; d + 256 <= bytes; d += 256) blend1x16(all, 0, value + d, stride, keys, mixture + d, 0, correctionAt);
  for (; d + 128 <= bytes; d += 128) blend1x8(all, 0, value + d, stride, keys, mixture + d, 0, correctionAt);
  for (; d < bytes; d += 32) blend1x2(all, 0, value + d, stride, keys, mixture + d, 0, correctionAt);
  let g = 1;
  for (; g + 2 <= group; g += 2) {
    const weights = all + <usize>g * SCORES, mixed = mixture + <usize>g * step, by = correctionAt + (<usize>g << 2);
    for (d = 0; d + 64 <= bytes; d += 64) blend2x4(weights, SCORES, value + d, stride, keys, mixed + d, step, by);
    for (; d < bytes; d += 32) blend2x2(weights, SCORES, value + d, stride, keys, mixed + d, step, by);
  }
  if (g < group) {
    const weights = all + <usize>g * SCORES, mixed = mixture + <usize>g * step, by = correctionAt + (<usize>g << 2);
    for (d = 0; d + 128 <= bytes; d += 128) blend1x8(weights, 0, value + d, stride, keys, mixed + d, 0, by);
    for (; d < bytes; d += 32) blend1x2(weights, 0, value + d, stride, keys, mixed + d, 0, by);
  }
  for (g = 0; g < group; g++) store<f32>(correctionAt + (<usize>g << 2), 1);
}

/** One head of one batch: puts its chunks together, in order. Returns 1 if the mixture is no number. */
export function attentionMerge(item: i32, scratch: usize, at: usize): i32 {
  const request = changetype<Request>(at);
  const chunks = (request.columns + TILES - 1) / TILES;
  const numbers = partialNumbers(request), valueDim = request.valueDim, width = numbers - 4;
  const first = request.partials + ((<usize>(item * chunks) * <usize>numbers) << 2);
  const step = <usize>numbers << 2;
  const head = item % request.heads;
  const sink: f32 = request.sinks == 0 ? -Infinity : load<f32>(request.sinks + (<usize>(head * request.sinkStep) << 2));
  let largest: f32 = max<f32>(NONE, sink);
  for (let c = 0; c < chunks; c++) largest = max<f32>(largest, load<f32>(first + <usize>c * step));
  let sum: f64 = NativeMath.exp(<f64>sink - <f64>largest);
  for (let c = 0; c < chunks; c++) {
    const part = first + <usize>c * step;
    const share = NativeMath.exp(<f64>load<f32>(part) - <f64>largest);
    sum += <f64>load<f32>(part, 4) * share;
    store<f32>(part, <f32>share, 8);
  }
  for (let c = 0; c < chunks; c++) if (!allFinite(first + <usize>c * step + 16, width)) return 1;
  const to = request.output + (<usize>(item * valueDim) << 2);
  const factor = sum > 0 ? 1 / sum : 0;
  for (let d: usize = 0; d < <usize>valueDim << 2; d += 4) {
    let mixed: f64 = 0;
    for (let c = 0; c < chunks; c++) {
      const part = first + <usize>c * step;
      mixed += <f64>load<f32>(part, 8) * <f64>load<f32>(part + d, 16);
    }
    store<f32>(to + d, <f32>(mixed * factor));
  }
  store<f32>(request.lse + (<usize>item << 2), sum > 0 ? <f32>(<f64>largest + NativeMath.log(sum)) : -Infinity);
  return 0;
}
