// Attention backward: a work item is one key-value head with its group of query heads. Each tile of weights is recomputed from
// queries, keys and the saved log-sum-exp of each row; nothing of the size queries × keys is stored.
//
// With the weights w and u = weightMod(w), or w without it: du = dO · v; dw = weightMod′ · du;
// ds = w (dw − Σ w dw + dlse); from ds back through scoreMod, softcap and scale to queries and keys.
import { AttentionRequest, Level } from "./layout";
import {
  registerBytes,
  resultOf,
  runSteps,
  scalesScore,
  slopeSteps,
  STRIP,
  tableNumbers,
} from "./expression";
import { beginProgram } from "./attention-forward";
import { exp4WithConstants, expConstants, zero } from "./lanes";
import { copyRows, findRows, firstQueryPosition, segmentsOf, rowStep, writeRows } from "./request";
import {
  allFinite,
  capScores,
  findLimits,
  gatherRows,
  MASKED,
  maskedBytes,
  maskScores,
  keyPositions,
  KEYS,
  LANES,
  mixValues,
  multiplyTile,
  packQueries,
  QUERIES,
  ROW,
  TILE,
} from "./tile";

/** A larger log-sum-exp loses digits in float32, which would bias every weight: the sums are then recomputed. */
const MAX_EXACT_LSE: f32 = 16;
/** Log-sum-exp of a row without visible keys, for which every exponential becomes 0. */
const EMPTY_LSE: f32 = 1e30;

let scoresAt: usize = 0;
let slopesAt: usize = 0;
let weightsAt: usize = 0;
let cappedAt: usize = 0;
let lseAt: usize = 0;
let shareAt: usize = 0;
let sharedAt: usize = 0;
let reachedAt: usize = 0;
let onesAt: usize = 0;
let positionsAt: usize = 0;
let limitsAt: usize = 0;
let queriesAt: usize = 0;
let gradientsAt: usize = 0;
let queryRowsAt: usize = 0;
let gradientRowsAt: usize = 0;
let dQueryAt: usize = 0;
let keyAt: usize = 0;
let valueAt: usize = 0;
let dKeyAt: usize = 0;
let dValueAt: usize = 0;
let registersAt: usize = 0;
let weightRegistersAt: usize = 0;

/** Rows of queries and of output gradients, in place or copied to rows whose length is a multiple of 8: address and stride in bytes. */
let queryRows: usize = 0;
let queryStep: usize = 0;
let gradientRows: usize = 0;
let gradientStep: usize = 0;

@inline
function padded(n: i32): i32 {
  return (n + 7) & ~7;
}

function layOut(request: AttentionRequest, scratch: usize): usize {
  const wide = padded(request.dim);
  const valueWide = padded(request.valueDim);
  scoresAt = scratch;
  slopesAt = scoresAt + TILE;
  weightsAt = slopesAt + TILE;
  cappedAt = weightsAt + TILE;
  lseAt = cappedAt + <usize>STRIP * ROW;
  shareAt = lseAt + LANES;
  sharedAt = shareAt + LANES;
  reachedAt = sharedAt + LANES;
  onesAt = reachedAt + LANES;
  positionsAt = onesAt + LANES;
  limitsAt = positionsAt + LANES;
  queriesAt = limitsAt + LANES;
  gradientsAt = queriesAt + ((<usize>(QUERIES * request.dim)) << 2);
  queryRowsAt = gradientsAt + ((<usize>(QUERIES * request.valueDim)) << 2);
  gradientRowsAt = queryRowsAt + ((<usize>(QUERIES * wide)) << 2);
  dQueryAt = gradientRowsAt + ((<usize>(QUERIES * valueWide)) << 2);
  keyAt = dQueryAt + ((<usize>((QUERIES + 8) * wide)) << 2);
  valueAt = keyAt + ((<usize>(KEYS * wide)) << 2);
  dKeyAt = valueAt + ((<usize>(KEYS * valueWide)) << 2);
  dValueAt = dKeyAt + ((<usize>((request.keys + 8) * wide)) << 2);
  registersAt = dValueAt + ((<usize>((request.keys + 8) * valueWide)) << 2);
  weightRegistersAt = registersAt + registerBytes(request.scoreMod, true);
  return weightRegistersAt + registerBytes(request.weightMod, true);
}

/** Bytes of scratch memory of a thread. */
export function attentionBackwardScratch(request: usize): i32 {
  return <i32>layOut(changetype<AttentionRequest>(request), 0);
}

/** Returns 1 if a gradient is NaN or infinite. */
export function attentionBackward(item: i32, scratch: usize, at: usize): i32 {
  const request = changetype<AttentionRequest>(at);
  layOut(request, scratch);
  const kvHeads = request.heads / request.group;
  const batch = item / kvHeads;
  const kvHead = item % kvHeads;
  const wide = padded(request.dim);
  const valueWide = padded(request.valueDim);
  memory.fill(dKeyAt, 0, registersAt - dKeyAt);
  for (let i: usize = 0; i < LANES; i += 4) store<f32>(onesAt + i, 1);
  for (let head = kvHead * request.group; head < (kvHead + 1) * request.group; head++) {
    let dSink: f64 = 0;
    for (let row = 0; row < request.rows; row++) {
      const failed = queryTile(request, batch, head, row, item);
      if (failed) return 1;
      if (request.sinks != 0) dSink += sinkSlope(request, head, min(QUERIES, request.queries - (row << 6)));
    }
    if (request.sinks != 0)
      store<f32>(request.dSinks + ((<usize>(batch * request.heads + head)) << 2), <f32>dSink);
  }
  if (!allFinite(dKeyAt, request.keys * wide) || !allFinite(dValueAt, request.keys * valueWide)) return 1;
  writeRows(segmentsOf(request, 2), batch, kvHead, request.keys, request.dim, wide, dKeyAt);
  writeRows(segmentsOf(request, 3), batch, kvHead, request.keys, request.valueDim, valueWide, dValueAt);
  return 0;
}

function queryTile(request: AttentionRequest, batch: i32, head: i32, row: i32, item: i32): bool {
  const dim = request.dim;
  const wide = padded(dim);
  const t = row << 6;
  const count = min(QUERIES, request.queries - t);
  const position = firstQueryPosition(request, batch) + t;
  const place = (batch * request.heads + head) * request.queries + t;
  loadQueries(request, batch, head, t, count);
  loadGradients(request, batch, head, t, count, place);
  beginProgram(request.scoreMod, registersAt, batch, head, position);
  beginProgram(request.weightMod, weightRegistersAt, batch, head, position);
  const first = batch * request.planBatch + head * request.planHead + row * request.columns;
  if (largestOfLanes(count) > MAX_EXACT_LSE) {
    memory.fill(weightsAt, 0, ROW);
    walkTiles(SUMS, request, batch, head, first, position, count, item);
    finishSums(request, head, count);
  }
  // If weightMod multiplies by a factor, Σ w dw is output · dO, which `loadGradients` computed.
  if (request.weightMod != 0 && !scalesScore(request.weightMod)) {
    memory.fill(sharedAt, 0, LANES);
    walkTiles(SHARED, request, batch, head, first, position, count, item);
  }
  memory.fill(dQueryAt, 0, (<usize>((count + 8) * wide)) << 2);
  walkTiles(SLOPES, request, batch, head, first, position, count, item);
  if (!allFinite(dQueryAt, count * wide)) return true;
  for (let q = 0; q < count; q++) {
    const to = request.dQuery + ((<usize>(place + q) * <usize>dim) << 2);
    memory.copy(to, dQueryAt + ((<usize>(q * wide)) << 2), (<usize>dim) << 2);
  }
  return false;
}

/** Loads queries: scaled and packed for scores, and row by row for the gradients of keys. */
function loadQueries(request: AttentionRequest, batch: i32, head: i32, t: i32, count: i32): void {
  const dim = request.dim;
  const wide = padded(dim);
  const row = request.queryRow;
  const column = request.queryColumn;
  const from =
    request.query + ((<usize>(batch * request.queryBatch + head * request.queryHead + t * row)) << 2);
  packQueries(from, row, column, count, dim, request.scale, queriesAt);
  const inPlace = column == 1 && dim == wide;
  queryRows = inPlace ? from : queryRowsAt;
  queryStep = (<usize>(inPlace ? row : wide)) << 2;
  if (!inPlace) copyRows(from, row, column, count, dim, queryRowsAt, wide);
}

/** Loads the gradients of the output likewise, and for each query its log-sum-exp, Σ w dw, and the gradient of the log-sum-exp. */
function loadGradients(
  request: AttentionRequest,
  batch: i32,
  head: i32,
  t: i32,
  count: i32,
  place: i32,
): void {
  const dim = request.valueDim;
  const wide = padded(dim);
  const row = request.dOutputRow;
  const column = request.dOutputColumn;
  if (request.dOutput != 0) {
    const from =
      request.dOutput + ((<usize>(batch * request.dOutputBatch + head * request.dOutputHead + t * row)) << 2);
    packQueries(from, row, column, count, dim, 1, gradientsAt);
    const inPlace = column == 1 && dim == wide;
    gradientRows = inPlace ? from : gradientRowsAt;
    gradientStep = (<usize>(inPlace ? row : wide)) << 2;
    if (!inPlace) copyRows(from, row, column, count, dim, gradientRowsAt, wide);
  }
  for (let q = 0; q < KEYS; q++) {
    const at = (<usize>q) << 2;
    const known = q < count;
    const lse: f32 = known ? load<f32>(request.lse + ((<usize>(place + q)) << 2)) : EMPTY_LSE;
    store<f32>(lseAt + at, lse > -EMPTY_LSE ? lse : EMPTY_LSE);
    store<f32>(shareAt + at, 1);
    const reached =
      request.dLse +
      ((<usize>(batch * request.dLseBatch + head * request.dLseHead + (t + q) * request.dLseRow)) << 2);
    store<f32>(reachedAt + at, known && request.dLse != 0 ? load<f32>(reached) : 0);
    let sum: f64 = 0;
    if (known && request.dOutput != 0) {
      const output = request.output + ((<usize>(place + q) * <usize>dim) << 2);
      const slope = gradientRows + <usize>q * gradientStep;
      for (let d: usize = 0; d < (<usize>dim) << 2; d += 4)
        sum += <f64>load<f32>(output + d) * <f64>load<f32>(slope + d);
    }
    store<f32>(sharedAt + at, <f32>sum);
  }
}

function largestOfLanes(count: i32): f32 {
  let largest: f32 = 0;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const lse = abs<f32>(load<f32>(lseAt + i));
    if (lse < EMPTY_LSE) largest = max<f32>(largest, lse);
  }
  return largest;
}

/** Computes, from the recomputed sums, the factor of the exponentials of each row. */
function finishSums(request: AttentionRequest, head: i32, count: i32): void {
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    let sum = load<f32>(weightsAt + i);
    if (request.sinks != 0) {
      const sink = load<f32>(request.sinks + ((<usize>(head * request.sinkStep)) << 2));
      sum += <f32>NativeMath.exp(<f64>sink - <f64>load<f32>(lseAt + i));
    }
    store<f32>(shareAt + i, sum > 0 ? 1 / sum : 1);
  }
}

function sinkSlope(request: AttentionRequest, head: i32, count: i32): f64 {
  const sink = load<f32>(request.sinks + ((<usize>(head * request.sinkStep)) << 2));
  let slope: f64 = 0;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const weight = NativeMath.exp(<f64>sink - <f64>load<f32>(lseAt + i)) * <f64>load<f32>(shareAt + i);
    slope += weight * (<f64>load<f32>(reachedAt + i) - <f64>load<f32>(sharedAt + i));
  }
  return slope;
}

/** Purposes of a pass over the tiles of keys: sums of exponentials, Σ w dw, or the gradients. */
const SUMS: i32 = 0;
const SHARED: i32 = 1;
const SLOPES: i32 = 2;

function walkTiles(
  purpose: i32,
  request: AttentionRequest,
  batch: i32,
  head: i32,
  first: i32,
  position: i32,
  count: i32,
  item: i32,
): void {
  const dim = request.dim;
  const wide = padded(dim);
  const valueDim = request.valueDim;
  const valueWide = padded(valueDim);
  const kvHead = head / request.group;
  const panels = (count + 7) >> 3;
  const bytes = (<usize>panels) << 5;
  const mods = request.scoreMod != 0 || request.weightMod != 0;
  for (let column = 0; column < request.columns; column++) {
    const tile = <usize>(first + column);
    const whole = load<u8>(request.classes + tile);
    if (whole == 0) continue;
    const start = column << 6;
    const length = min(KEYS, request.keys - start);
    const key = findRows(segmentsOf(request, 0), batch, kvHead, start, length, dim, wide, keyAt);
    const keyStep = (<usize>rowStep) << 2;
    const bits: usize =
      whole == 2 ? 0 : request.bits + ((<usize>load<u32>(request.bitsAt + (tile << 2))) << 2);
    findLimits(bits, panels, length, limitsAt);
    multiplyTile(key, keyStep, length, limitsAt, queriesAt, panels, dim, scoresAt);
    if (purpose != SUMS) {
      if (request.dOutput != 0) {
        const value = findRows(
          segmentsOf(request, 1),
          batch,
          kvHead,
          start,
          length,
          valueDim,
          valueWide,
          valueAt,
        );
        multiplyTile(value, (<usize>rowStep) << 2, length, limitsAt, gradientsAt, panels, valueDim, slopesAt);
      } else {
        memory.fill(slopesAt, 0, TILE);
      }
    }
    if (mods) keyPositions(request, batch, start, length, positionsAt);
    if (mods) {
      for (let j = 0; j < length; j += STRIP) {
        strip(purpose, request, batch, head, position, bits, j, min(STRIP, length - j), count, bytes, item);
      }
    } else {
      plainTile(purpose, request, bits, length, bytes);
    }
    if (purpose != SLOPES) continue;
    const to = (<usize>start) << 2;
    if (request.dOutput != 0) {
      gatherRows(
        weightsAt,
        gradientRows,
        gradientStep,
        length,
        limitsAt,
        count,
        valueWide,
        dValueAt + to * <usize>valueWide,
      );
    }
    gatherRows(slopesAt, queryRows, queryStep, length, limitsAt, count, wide, dKeyAt + to * <usize>wide);
    mixValues(slopesAt, key, keyStep, limitsAt, count, wide, dQueryAt, onesAt);
  }
}

/** A tile without expressions. */
function plainTile(purpose: i32, request: AttentionRequest, bits: usize, keys: i32, bytes: usize): void {
  const softcap = request.softcap;
  if (softcap > 0) capScores(softcap, scoresAt, keys, bytes);
  const scale = f32x4.splat(request.scale);
  const one = f32x4.splat(1);
  const narrow = f32x4.splat(softcap > 0 ? 1 / softcap : 0);
  if (bits != 0) maskScores(bits, scoresAt, 0, keys, bytes);
  for (let lane: usize = 0; lane < bytes; lane += 16) {
    const at0 = expConstants;
    const s = v128.load(at0);
    const floor = v128.load(at0, 16);
    const magic = v128.load(at0, 32);
    const c5 = v128.load(at0, 48);
    const c4 = v128.load(at0, 64);
    const c3 = v128.load(at0, 80);
    const c2 = v128.load(at0, 96);
    const c1 = v128.load(at0, 112);
    const c0 = v128.load(at0, 128);
    const lse = v128.load(lseAt + lane);
    const share = v128.load(shareAt + lane);
    const end = <usize>keys * ROW;
    if (purpose == SUMS) {
      let sum = v128.load(weightsAt + lane);
      for (let i = lane; i < end; i += ROW) {
        sum = f32x4.add(
          sum,
          exp4WithConstants(f32x4.sub(v128.load(scoresAt + i), lse), s, floor, magic, c5, c4, c3, c2, c1, c0),
        );
      }
      v128.store(weightsAt + lane, sum);
      continue;
    }
    // ds = w (dw − Σ w dw + dlse)
    const off = f32x4.sub(v128.load(sharedAt + lane), v128.load(reachedAt + lane));
    for (let i = lane; i < end; i += ROW) {
      const score = v128.load(scoresAt + i);
      const power = exp4WithConstants(f32x4.sub(score, lse), s, floor, magic, c5, c4, c3, c2, c1, c0);
      const weight = f32x4.mul(power, share);
      const part = f32x4.mul(score, narrow);
      const slope = f32x4.mul(f32x4.mul(weight, scale), f32x4.sub(one, f32x4.mul(part, part)));
      const moved = f32x4.mul(slope, f32x4.sub(v128.load(slopesAt + i), off));
      // A weight of 0 has no gradient, even if its value is NaN.
      v128.store(slopesAt + i, v128.and(moved, f32x4.ne(weight, zero())));
      v128.store(weightsAt + i, weight);
    }
  }
}

/** A strip of keys of a tile with expressions. */
function strip(
  purpose: i32,
  request: AttentionRequest,
  batch: i32,
  head: i32,
  position: i32,
  bits: usize,
  first: i32,
  rows: i32,
  count: i32,
  bytes: usize,
  item: i32,
): void {
  const scoreMod = request.scoreMod;
  const weightMod = request.weightMod;
  const softcap = request.softcap;
  const before = <usize>first * ROW;
  const scores = scoresAt + before;
  const slopes = slopesAt + before;
  const weights = weightsAt + before;
  const positions = positionsAt + ((<usize>first) << 2);
  const end = <usize>rows * ROW;
  const skip = maskedBytes(limitsAt, first, bytes);
  const left = bytes - skip;
  const lanes = max(0, count - <i32>(skip >> 2));
  const tables = request.dTables + ((<usize>item * <usize>request.dTableStep) << 3);
  if (softcap > 0) capScores(softcap, scores, rows, bytes);
  memory.copy(cappedAt, scores, end);
  if (scoreMod != 0) {
    const own = registersAt + skip;
    runSteps(scoreMod, own, Level.score, cappedAt + skip, batch, head, position, positions, rows, left);
    const result = resultOf(scoreMod, registersAt);
    const hidden = f32x4.splat(MASKED);
    for (let r: usize = 0; r < end; r += ROW) {
      for (let i = r + skip; i < r + bytes; i += 16)
        v128.store(scores + i, f32x4.pmax(v128.load(result + i), hidden));
    }
  }
  if (bits != 0) maskScores(bits, scores, first, rows, bytes);
  const at0 = expConstants;
  const s = v128.load(at0);
  const floor = v128.load(at0, 16);
  const magic = v128.load(at0, 32);
  const c5 = v128.load(at0, 48);
  const c4 = v128.load(at0, 64);
  const c3 = v128.load(at0, 80);
  const c2 = v128.load(at0, 96);
  const c1 = v128.load(at0, 112);
  const c0 = v128.load(at0, 128);
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const lse = v128.load(lseAt + i);
      const power = exp4WithConstants(
        f32x4.sub(v128.load(scores + r + i), lse),
        s,
        floor,
        magic,
        c5,
        c4,
        c3,
        c2,
        c1,
        c0,
      );
      if (purpose == SUMS) v128.store(weightsAt + i, f32x4.add(v128.load(weightsAt + i), power));
      else v128.store(weights + r + i, f32x4.mul(power, v128.load(shareAt + i)));
    }
  }
  if (purpose == SUMS) return;
  // Masked scores have no gradient: any remainder would be added to the tables.
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) {
      const hidden = f32x4.le(v128.load(scores + i), f32x4.splat(MASKED));
      v128.store(slopes + i, v128.andnot(v128.load(slopes + i), hidden));
    }
  }
  if (weightMod != 0) {
    runSteps(
      weightMod,
      weightRegistersAt + skip,
      Level.score,
      weights + skip,
      batch,
      head,
      position,
      positions,
      rows,
      left,
    );
    // The pass for Σ w dw must not add to the tables' gradients.
    const own: usize = purpose == SHARED ? 0 : tables + ((<usize>tableNumbers(scoreMod)) << 3);
    slopeSteps(weightMod, weightRegistersAt + skip, slopes + skip, own, rows, left, lanes);
  }
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const at = r + i;
      const weight = v128.load(weights + at);
      const slope = v128.load(slopes + at);
      if (purpose == SHARED) {
        v128.store(sharedAt + i, f32x4.add(v128.load(sharedAt + i), f32x4.mul(weight, slope)));
      } else {
        const off = f32x4.sub(v128.load(sharedAt + i), v128.load(reachedAt + i));
        const moved = f32x4.mul(weight, f32x4.sub(slope, off));
        v128.store(slopes + at, v128.and(moved, f32x4.ne(weight, zero())));
      }
    }
  }
  if (purpose == SHARED) return;
  if (weightMod != 0) {
    const result = resultOf(weightMod, weightRegistersAt);
    for (let r: usize = 0; r < end; r += ROW) {
      for (let i = r; i < r + bytes; i += 16) {
        const hidden = f32x4.le(v128.load(scores + i), f32x4.splat(MASKED));
        v128.store(weights + i, v128.andnot(v128.load(result + i), hidden));
      }
    }
  }
  if (scoreMod != 0) slopeSteps(scoreMod, registersAt + skip, slopes + skip, tables, rows, left, lanes);
  const scale = f32x4.splat(request.scale);
  const one = f32x4.splat(1);
  const narrow = f32x4.splat(softcap > 0 ? 1 / softcap : 0);
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) {
      const part = f32x4.mul(v128.load(cappedAt + i), narrow);
      const factor = f32x4.mul(scale, f32x4.sub(one, f32x4.mul(part, part)));
      v128.store(slopes + i, f32x4.mul(v128.load(slopes + i), factor));
    }
  }
}
