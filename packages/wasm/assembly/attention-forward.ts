// Attention forward: a work item is 64 queries of a head, with a loop over the tiles of 64 keys. The tile plan has the class of
// each tile: 0, all pairs are masked; 1, some, and `bits` is the mask; 2, none.
import { AttentionRequest, Level } from "./layout";
import { registerBytes, resultRegister, runSteps, scalesScore, STRIP } from "./expression";
import { fma, exp4WithConstants, expConstants, zero } from "./lanes";
import { findRows, firstQueryPosition, firstSegment, rowStep } from "./request";
import {
  allFinite,
  capScores,
  findKeyLimits,
  MASKED,
  maskedBytes,
  maskScores,
  keyPositions,
  KEYS,
  LANES,
  accumulateValues,
  modScores,
  multiplyTile,
  packQueries,
  QUERIES,
  ROW,
  TILE,
} from "./tile";

/** Largest score of a query that has seen no key yet: far above that of a masked key. */
const INITIAL_LARGEST: f32 = -1e30;

/** Addresses in the thread's scratch memory, for the current item. */
let scoresAt: usize = 0;
let largestAt: usize = 0;
let sumAt: usize = 0;
let correctionAt: usize = 0;
let positionsAt: usize = 0;
let limitsAt: usize = 0;
let queriesAt: usize = 0;
let outputAt: usize = 0;
let keyAt: usize = 0;
let valueAt: usize = 0;
let registersAt: usize = 0;
let weightRegistersAt: usize = 0;

function assignScratch(request: AttentionRequest, scratch: usize): usize {
  const width = (request.valueDim + 7) & ~7;
  scoresAt = scratch;
  largestAt = scoresAt + TILE;
  sumAt = largestAt + LANES;
  correctionAt = sumAt + LANES;
  positionsAt = correctionAt + LANES;
  limitsAt = positionsAt + LANES;
  queriesAt = limitsAt + LANES;
  outputAt = queriesAt + ((<usize>(QUERIES * request.dim)) << 2);
  keyAt = outputAt + ((<usize>((QUERIES + 8) * width)) << 2);
  valueAt = keyAt + ((<usize>(KEYS * request.dim)) << 2);
  registersAt = valueAt + ((<usize>(KEYS * width)) << 2);
  weightRegistersAt = registersAt + registerBytes(request.scoreMod, false);
  return weightRegistersAt + registerBytes(request.weightMod, false);
}

/** Bytes of scratch memory of a thread. */
export function attentionForwardScratch(request: usize): i32 {
  return <i32>assignScratch(changetype<AttentionRequest>(request), 0);
}

/** Within a head, the last queries come first, because they see the most keys with a causal mask. Returns 1 if a score is NaN or infinite. */
export function attentionForward(item: i32, scratch: usize, at: usize): i32 {
  const request = changetype<AttentionRequest>(at);
  assignScratch(request, scratch);
  const heads = request.heads;
  const queries = request.queries;
  const keys = request.keys;
  const columns = request.columns;
  const dim = request.dim;
  const valueDim = request.valueDim;
  const scoreMod = request.scoreMod;
  const weightMod = request.weightMod;
  const width = (valueDim + 7) & ~7;
  const batchHead = item / request.rows;
  const row = request.rows - 1 - (item % request.rows);
  const batch = batchHead / heads;
  const head = batchHead % heads;
  const kvHead = head / request.group;
  const t = row << 6;
  const count = min(QUERIES, queries - t);
  const bytes = (<usize>((count + 7) & ~7)) << 2;
  const position = firstQueryPosition(request, batch) + t;

  const from = batch * request.queryBatch + head * request.queryHead + t * request.queryRow;
  packQueries(
    request.query + ((<usize>from) << 2),
    request.queryRow,
    request.queryColumn,
    count,
    dim,
    request.scale,
    queriesAt,
  );
  resetSums(count, width);
  beginProgram(scoreMod, registersAt, batch, head, position);
  beginProgram(weightMod, weightRegistersAt, batch, head, position);
  const first = batch * request.planBatch + head * request.planHead + row * columns;
  const twoPasses = hasTwoPasses(request);
  for (let pass = twoPasses ? 0 : 1; pass < 2; pass++) {
    for (let column = 0; column < columns; column++) {
      const tile = <usize>(first + column);
      const tileClass = load<u8>(request.classes + tile);
      if (tileClass == 0) continue;
      const start = column << 6;
      const length = min(KEYS, keys - start);
      const bits: usize =
        tileClass == 2 ? 0 : request.bits + ((<usize>load<u32>(request.bitsAt + (tile << 2))) << 2);
      findKeyLimits(bits, (count + 7) >> 3, length, limitsAt);
      const key = findRows(firstSegment(request, 0), batch, kvHead, start, length, dim, dim, keyAt);
      multiplyTile(key, (<usize>rowStep) << 2, length, limitsAt, queriesAt, (count + 7) >> 3, dim, scoresAt);
      if (request.softcap > 0) capScores(request.softcap, scoresAt, length, bytes);
      if (scoreMod != 0 || weightMod != 0) keyPositions(request, batch, start, length, positionsAt);
      if (scoreMod != 0)
        modScores(
          scoreMod,
          registersAt,
          scoresAt,
          batch,
          head,
          position,
          positionsAt,
          limitsAt,
          length,
          bytes,
        );
      if (bits != 0) maskScores(bits, scoresAt, 0, length, bytes);
      if (twoPasses && pass == 1) {
        for (let i: usize = 0; i < bytes; i += 16) weightLanes(i, length);
      } else {
        let nonFinite = zero();
        for (let i: usize = 0; i < bytes; i += 16) nonFinite = v128.or(nonFinite, softmaxLanes(i, length));
        if (v128.any_true(nonFinite)) return 1;
      }
      if (pass == 0) continue;
      if (weightMod != 0) applyWeightMod(weightMod, batch, head, position, length, bytes);
      const value = findRows(
        firstSegment(request, 1),
        batch,
        kvHead,
        start,
        length,
        valueDim,
        width,
        valueAt,
      );
      accumulateValues(
        scoresAt,
        value,
        (<usize>rowStep) << 2,
        limitsAt,
        count,
        width,
        outputAt,
        correctionAt,
      );
    }
    if (pass == 0) for (let i: usize = 0; i < bytes; i += 4) store<f32>(correctionAt + i, 1);
    if (pass == 0 && request.sinks != 0) addSink(request, head, count);
  }
  if (!twoPasses && request.sinks != 0) addSink(request, head, count);
  return writeOutputs(request, batchHead * queries + t, count, width);
}

/**
 * True if there are two passes: weightMod applies to normalized weights, so the output needs a second pass. If weightMod only
 * multiplies by a factor, the factor is applied to the exponentials instead.
 */
@inline
function hasTwoPasses(request: AttentionRequest): bool {
  return request.weightMod != 0 && !scalesScore(request.weightMod);
}

function resetSums(count: i32, width: i32): void {
  // Blocks of queries may extend beyond the last one.
  const end = (<usize>(count + 8)) << 2;
  memory.fill(outputAt, 0, end * <usize>width);
  memory.fill(sumAt, 0, end);
  for (let i: usize = 0; i < end; i += 4) {
    store<f32>(largestAt + i, INITIAL_LARGEST);
    store<f32>(correctionAt + i, 1);
  }
}

/** Runs the steps of an expression that do not depend on the key. */
export function beginProgram(program: usize, registers: usize, batch: i32, head: i32, query: i32): void {
  if (program == 0) return;
  runSteps(program, registers, Level.head, 0, batch, head, query, 0, STRIP, ROW);
  runSteps(program, registers, Level.query, 0, batch, head, query, 0, STRIP, ROW);
}

/** Four queries: scores become exponentials, and maximum and sum are updated. Returns a mask of lanes with a NaN or an infinity. */
function softmaxLanes(lane: usize, keys: i32): v128 {
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
  const previousLargest = v128.load(largestAt + lane);
  const end = scoresAt + lane + <usize>keys * ROW;
  // Two independent chains, for two keys at once. Numbers times 0 are 0 if finite, otherwise NaN, which the sums propagate.
  let max0 = previousLargest;
  let max1 = previousLargest;
  let nonFinite0 = zero();
  let nonFinite1 = zero();
  let from = scoresAt + lane;
  for (const last = end - ROW; from < last; from += 2 * ROW) {
    const a = v128.load(from);
    const b = v128.load(from, ROW);
    max0 = f32x4.pmax(max0, a);
    max1 = f32x4.pmax(max1, b);
    nonFinite0 = fma(a, zero(), nonFinite0);
    nonFinite1 = fma(b, zero(), nonFinite1);
  }
  if (from < end) {
    max0 = f32x4.pmax(max0, v128.load(from));
    nonFinite0 = fma(v128.load(from), zero(), nonFinite0);
  }
  const largest = f32x4.pmax(max0, max1);
  const nonFinite = f32x4.add(nonFinite0, nonFinite1);
  const correction = exp4WithConstants(
    f32x4.sub(previousLargest, largest),
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
  let sum = f32x4.mul(v128.load(sumAt + lane), correction);
  for (let at = scoresAt + lane; at < end; at += ROW) {
    const power = exp4WithConstants(
      f32x4.sub(v128.load(at), largest),
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
    v128.store(at, power);
    sum = f32x4.add(sum, power);
  }
  v128.store(largestAt + lane, largest);
  v128.store(sumAt + lane, sum);
  v128.store(correctionAt + lane, correction);
  return f32x4.ne(nonFinite, nonFinite);
}

/** Four queries: scores become weights; those of masked keys become -1, to recognize them later. */
function weightLanes(lane: usize, keys: i32): void {
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
  const largest = v128.load(largestAt + lane);
  const sum = v128.load(sumAt + lane);
  const inverseSum = v128.and(f32x4.div(f32x4.splat(1), sum), f32x4.gt(sum, zero()));
  const end = scoresAt + lane + <usize>keys * ROW;
  for (let at = scoresAt + lane; at < end; at += ROW) {
    const score = v128.load(at);
    const power = exp4WithConstants(
      f32x4.sub(score, largest),
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
    const masked = f32x4.le(score, f32x4.splat(MASKED));
    v128.store(at, v128.bitselect(f32x4.splat(-1), f32x4.mul(power, inverseSum), masked));
  }
}

/** Applies weightMod to weights, or to exponentials; those of masked keys become 0. */
function applyWeightMod(program: usize, batch: i32, head: i32, query: i32, keys: i32, bytes: usize): void {
  for (let j = 0; j < keys; j += STRIP) {
    const rows = min(STRIP, keys - j);
    const skip = maskedBytes(limitsAt, j, bytes);
    const strip = scoresAt + <usize>j * ROW;
    runSteps(
      program,
      weightRegistersAt + skip,
      Level.score,
      strip + skip,
      batch,
      head,
      query,
      positionsAt + ((<usize>j) << 2),
      rows,
      bytes - skip,
    );
    const result = resultRegister(program, weightRegistersAt);
    for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
      for (let i = r; i < r + skip; i += 16) v128.store(strip + i, zero());
      for (let i = r + skip; i < r + bytes; i += 16) {
        const masked = f32x4.lt(v128.load(strip + i), zero());
        v128.store(strip + i, v128.andnot(v128.load(result + i), masked));
      }
    }
  }
}

/** Adds the sink of a head to the sums, once, at the end. */
function addSink(request: AttentionRequest, head: i32, count: i32): void {
  const sink = load<f32>(request.sinks + ((<usize>(head * request.sinkStep)) << 2));
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const largest = load<f32>(largestAt + i);
    const top = max<f32>(largest, sink);
    const correction = <f32>NativeMath.exp(<f64>largest - <f64>top);
    // A sink of -infinity has no effect.
    store<f32>(largestAt + i, top);
    store<f32>(sumAt + i, load<f32>(sumAt + i) * correction + <f32>NativeMath.exp(<f64>sink - <f64>top));
    // The output so far is relative to the largest score without the sink.
    store<f32>(correctionAt + i, hasTwoPasses(request) ? 1 : correction);
  }
}

/** Writes outputs, divided by their sums, and log-sum-exp; zeros and -infinity for queries that see no key. */
function writeOutputs(request: AttentionRequest, firstRow: i32, count: i32, width: i32): i32 {
  const valueDim = request.valueDim;
  const twoPasses = hasTwoPasses(request);
  const sinks = request.sinks;
  for (let q = 0; q < count; q++) {
    const sum = load<f32>(sumAt + ((<usize>q) << 2));
    const largest = load<f32>(largestAt + ((<usize>q) << 2));
    const seen = sum > 0;
    const correction: f32 = sinks == 0 ? 1 : load<f32>(correctionAt + ((<usize>q) << 2));
    const factor: f32 = twoPasses ? 1 : seen ? correction / sum : 0;
    const from = outputAt + ((<usize>(q * width)) << 2);
    if (!allFinite(from, width)) return 1;
    const to = request.output + ((<usize>(firstRow + q) * <usize>valueDim) << 2);
    const factors = f32x4.splat(factor);
    const vectors = (<usize>(valueDim & ~3)) << 2;
    for (let d: usize = 0; d < vectors; d += 16) v128.store(to + d, f32x4.mul(factors, v128.load(from + d)));
    for (let d = vectors; d < (<usize>valueDim) << 2; d += 4)
      store<f32>(to + d, load<f32>(from + d) * factor);
    const logSum: f32 = seen ? <f32>(<f64>largest + NativeMath.log(<f64>sum)) : -Infinity;
    store<f32>(request.lse + ((<usize>(firstRow + q)) << 2), logSum);
  }
  return 0;
}
