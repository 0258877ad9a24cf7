// Attention backward: a work item is one key-value head with its group of query heads. Each tile of weights is recomputed from
// queries, keys and the saved log-sum-exp of each row; nothing of the size queries × keys is stored.
//
// With the weights w and u = weightMod(w), or w without it: du = dO · v; dw = weightMod′ · du;
// ds = w (dw − delta + dlse) with delta = Σ w dw, which is dO · O without weightMod; from ds back through scoreMod, softcap and
// scale to queries and keys. See "FlashAttention-2" (2023), arXiv:2307.08691, algorithm 2.
import { AttentionRequest, Level } from "./layout";
import {
  registerBytes,
  resultRegister,
  runSteps,
  scalesScore,
  backwardSteps,
  STRIP,
  tableNumbers,
} from "./expression";
import { beginProgram } from "./attention-forward";
import { exp4WithConstants, expConstants, zero } from "./lanes";
import { copyRows, findRows, firstQueryPosition, firstSegment, rowStep, writeRows } from "./request";
import {
  allFinite,
  capScores,
  findKeyLimits,
  gatherRows,
  MASKED,
  maskedBytes,
  maskScores,
  keyPositions,
  KEYS,
  LANES,
  accumulateValues,
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
let dScoresAt: usize = 0;
let weightsAt: usize = 0;
let cappedAt: usize = 0;
let lseAt: usize = 0;
let inverseSumAt: usize = 0;
let deltaAt: usize = 0;
let dLseAt: usize = 0;
let onesAt: usize = 0;
let positionsAt: usize = 0;
let limitsAt: usize = 0;
let queriesAt: usize = 0;
let dOutputsAt: usize = 0;
let queryRowsAt: usize = 0;
let dOutputRowsAt: usize = 0;
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
let dOutputRows: usize = 0;
let dOutputStep: usize = 0;

@inline
function padded(n: i32): i32 {
  return (n + 7) & ~7;
}

function assignScratch(request: AttentionRequest, scratch: usize): usize {
  const paddedDim = padded(request.dim);
  const paddedValueDim = padded(request.valueDim);
  scoresAt = scratch;
  dScoresAt = scoresAt + TILE;
  weightsAt = dScoresAt + TILE;
  cappedAt = weightsAt + TILE;
  lseAt = cappedAt + <usize>STRIP * ROW;
  inverseSumAt = lseAt + LANES;
  deltaAt = inverseSumAt + LANES;
  dLseAt = deltaAt + LANES;
  onesAt = dLseAt + LANES;
  positionsAt = onesAt + LANES;
  limitsAt = positionsAt + LANES;
  queriesAt = limitsAt + LANES;
  dOutputsAt = queriesAt + ((<usize>(QUERIES * request.dim)) << 2);
  queryRowsAt = dOutputsAt + ((<usize>(QUERIES * request.valueDim)) << 2);
  dOutputRowsAt = queryRowsAt + ((<usize>(QUERIES * paddedDim)) << 2);
  dQueryAt = dOutputRowsAt + ((<usize>(QUERIES * paddedValueDim)) << 2);
  keyAt = dQueryAt + ((<usize>((QUERIES + 8) * paddedDim)) << 2);
  valueAt = keyAt + ((<usize>(KEYS * paddedDim)) << 2);
  dKeyAt = valueAt + ((<usize>(KEYS * paddedValueDim)) << 2);
  dValueAt = dKeyAt + ((<usize>((request.keys + 8) * paddedDim)) << 2);
  registersAt = dValueAt + ((<usize>((request.keys + 8) * paddedValueDim)) << 2);
  weightRegistersAt = registersAt + registerBytes(request.scoreMod, true);
  return weightRegistersAt + registerBytes(request.weightMod, true);
}

/** Bytes of scratch memory of a thread. */
export function attentionBackwardScratch(request: usize): i32 {
  return <i32>assignScratch(changetype<AttentionRequest>(request), 0);
}

/** Returns 1 if a gradient is NaN or infinite. */
export function attentionBackward(item: i32, scratch: usize, at: usize): i32 {
  const request = changetype<AttentionRequest>(at);
  assignScratch(request, scratch);
  const kvHeads = request.heads / request.group;
  const batch = item / kvHeads;
  const kvHead = item % kvHeads;
  const paddedDim = padded(request.dim);
  const paddedValueDim = padded(request.valueDim);
  memory.fill(dKeyAt, 0, registersAt - dKeyAt);
  for (let i: usize = 0; i < LANES; i += 4) store<f32>(onesAt + i, 1);
  for (let head = kvHead * request.group; head < (kvHead + 1) * request.group; head++) {
    let dSink: f64 = 0;
    for (let row = 0; row < request.rows; row++) {
      const isNonFinite = queryTile(request, batch, head, row, item);
      if (isNonFinite) return 1;
      if (request.sinks != 0)
        dSink += sinkGradient(request, head, min(QUERIES, request.queries - (row << 6)));
    }
    if (request.sinks != 0)
      store<f32>(request.dSinks + ((<usize>(batch * request.heads + head)) << 2), <f32>dSink);
  }
  if (!allFinite(dKeyAt, request.keys * paddedDim) || !allFinite(dValueAt, request.keys * paddedValueDim))
    return 1;
  writeRows(firstSegment(request, 2), batch, kvHead, request.keys, request.dim, paddedDim, dKeyAt);
  writeRows(
    firstSegment(request, 3),
    batch,
    kvHead,
    request.keys,
    request.valueDim,
    paddedValueDim,
    dValueAt,
  );
  return 0;
}

function queryTile(request: AttentionRequest, batch: i32, head: i32, row: i32, item: i32): bool {
  const dim = request.dim;
  const paddedDim = padded(dim);
  const t = row << 6;
  const count = min(QUERIES, request.queries - t);
  const position = firstQueryPosition(request, batch) + t;
  const firstRow = (batch * request.heads + head) * request.queries + t;
  loadQueries(request, batch, head, t, count);
  loadOutputGradients(request, batch, head, t, count, firstRow);
  beginProgram(request.scoreMod, registersAt, batch, head, position);
  beginProgram(request.weightMod, weightRegistersAt, batch, head, position);
  const first = batch * request.planBatch + head * request.planHead + row * request.columns;
  if (largestLse(count) > MAX_EXACT_LSE) {
    memory.fill(weightsAt, 0, ROW);
    processTiles(SUMS, request, batch, head, first, position, count, item);
    invertSums(request, head, count);
  }
  // If weightMod only multiplies by a factor, delta is dO · O, which `loadOutputGradients` computed.
  if (request.weightMod != 0 && !scalesScore(request.weightMod)) {
    memory.fill(deltaAt, 0, LANES);
    processTiles(DELTA, request, batch, head, first, position, count, item);
  }
  memory.fill(dQueryAt, 0, (<usize>((count + 8) * paddedDim)) << 2);
  processTiles(GRADIENTS, request, batch, head, first, position, count, item);
  if (!allFinite(dQueryAt, count * paddedDim)) return true;
  for (let q = 0; q < count; q++) {
    const to = request.dQuery + ((<usize>(firstRow + q) * <usize>dim) << 2);
    memory.copy(to, dQueryAt + ((<usize>(q * paddedDim)) << 2), (<usize>dim) << 2);
  }
  return false;
}

/** Loads queries: scaled and packed for scores, and row by row for the gradients of keys. */
function loadQueries(request: AttentionRequest, batch: i32, head: i32, t: i32, count: i32): void {
  const dim = request.dim;
  const paddedDim = padded(dim);
  const row = request.queryRow;
  const column = request.queryColumn;
  const from =
    request.query + ((<usize>(batch * request.queryBatch + head * request.queryHead + t * row)) << 2);
  packQueries(from, row, column, count, dim, request.scale, queriesAt);
  const inPlace = column == 1 && dim == paddedDim;
  queryRows = inPlace ? from : queryRowsAt;
  queryStep = (<usize>(inPlace ? row : paddedDim)) << 2;
  if (!inPlace) copyRows(from, row, column, count, dim, queryRowsAt, paddedDim);
}

/** Loads the gradients of the output in the same way, and for each query its log-sum-exp, delta, and the gradient of the log-sum-exp. */
function loadOutputGradients(
  request: AttentionRequest,
  batch: i32,
  head: i32,
  t: i32,
  count: i32,
  firstRow: i32,
): void {
  const dim = request.valueDim;
  const paddedDim = padded(dim);
  const row = request.dOutputRow;
  const column = request.dOutputColumn;
  if (request.dOutput != 0) {
    const from =
      request.dOutput + ((<usize>(batch * request.dOutputBatch + head * request.dOutputHead + t * row)) << 2);
    packQueries(from, row, column, count, dim, 1, dOutputsAt);
    const inPlace = column == 1 && dim == paddedDim;
    dOutputRows = inPlace ? from : dOutputRowsAt;
    dOutputStep = (<usize>(inPlace ? row : paddedDim)) << 2;
    if (!inPlace) copyRows(from, row, column, count, dim, dOutputRowsAt, paddedDim);
  }
  for (let q = 0; q < KEYS; q++) {
    const at = (<usize>q) << 2;
    const isQuery = q < count;
    const lse: f32 = isQuery ? load<f32>(request.lse + ((<usize>(firstRow + q)) << 2)) : EMPTY_LSE;
    store<f32>(lseAt + at, lse > -EMPTY_LSE ? lse : EMPTY_LSE);
    store<f32>(inverseSumAt + at, 1);
    const dLse =
      request.dLse +
      ((<usize>(batch * request.dLseBatch + head * request.dLseHead + (t + q) * request.dLseRow)) << 2);
    store<f32>(dLseAt + at, isQuery && request.dLse != 0 ? load<f32>(dLse) : 0);
    let sum: f64 = 0;
    if (isQuery && request.dOutput != 0) {
      const output = request.output + ((<usize>(firstRow + q) * <usize>dim) << 2);
      const dOutput = dOutputRows + <usize>q * dOutputStep;
      for (let d: usize = 0; d < (<usize>dim) << 2; d += 4)
        sum += <f64>load<f32>(output + d) * <f64>load<f32>(dOutput + d);
    }
    store<f32>(deltaAt + at, <f32>sum);
  }
}

function largestLse(count: i32): f32 {
  let largest: f32 = 0;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const lse = abs<f32>(load<f32>(lseAt + i));
    if (lse < EMPTY_LSE) largest = max<f32>(largest, lse);
  }
  return largest;
}

/** Computes, from the recomputed sums, the factor of the exponentials of each row. */
function invertSums(request: AttentionRequest, head: i32, count: i32): void {
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    let sum = load<f32>(weightsAt + i);
    if (request.sinks != 0) {
      const sink = load<f32>(request.sinks + ((<usize>(head * request.sinkStep)) << 2));
      sum += <f32>NativeMath.exp(<f64>sink - <f64>load<f32>(lseAt + i));
    }
    store<f32>(inverseSumAt + i, sum > 0 ? 1 / sum : 1);
  }
}

function sinkGradient(request: AttentionRequest, head: i32, count: i32): f64 {
  const sink = load<f32>(request.sinks + ((<usize>(head * request.sinkStep)) << 2));
  let gradient: f64 = 0;
  for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
    const weight = NativeMath.exp(<f64>sink - <f64>load<f32>(lseAt + i)) * <f64>load<f32>(inverseSumAt + i);
    gradient += weight * (<f64>load<f32>(dLseAt + i) - <f64>load<f32>(deltaAt + i));
  }
  return gradient;
}

/** Purposes of a pass over the tiles of keys: sums of exponentials, delta, or the gradients of the scores. */
const SUMS: i32 = 0;
const DELTA: i32 = 1;
const GRADIENTS: i32 = 2;

function processTiles(
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
  const paddedDim = padded(dim);
  const valueDim = request.valueDim;
  const paddedValueDim = padded(valueDim);
  const kvHead = head / request.group;
  const panels = (count + 7) >> 3;
  const bytes = (<usize>panels) << 5;
  const mods = request.scoreMod != 0 || request.weightMod != 0;
  for (let column = 0; column < request.columns; column++) {
    const tile = <usize>(first + column);
    const tileClass = load<u8>(request.classes + tile);
    if (tileClass == 0) continue;
    const start = column << 6;
    const length = min(KEYS, request.keys - start);
    const key = findRows(firstSegment(request, 0), batch, kvHead, start, length, dim, paddedDim, keyAt);
    const keyStep = (<usize>rowStep) << 2;
    const bits: usize =
      tileClass == 2 ? 0 : request.bits + ((<usize>load<u32>(request.bitsAt + (tile << 2))) << 2);
    findKeyLimits(bits, panels, length, limitsAt);
    multiplyTile(key, keyStep, length, limitsAt, queriesAt, panels, dim, scoresAt);
    if (purpose != SUMS) {
      if (request.dOutput != 0) {
        const value = findRows(
          firstSegment(request, 1),
          batch,
          kvHead,
          start,
          length,
          valueDim,
          paddedValueDim,
          valueAt,
        );
        multiplyTile(value, (<usize>rowStep) << 2, length, limitsAt, dOutputsAt, panels, valueDim, dScoresAt);
      } else {
        memory.fill(dScoresAt, 0, TILE);
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
    if (purpose != GRADIENTS) continue;
    const to = (<usize>start) << 2;
    if (request.dOutput != 0) {
      gatherRows(
        weightsAt,
        dOutputRows,
        dOutputStep,
        length,
        limitsAt,
        count,
        paddedValueDim,
        dValueAt + to * <usize>paddedValueDim,
      );
    }
    gatherRows(
      dScoresAt,
      queryRows,
      queryStep,
      length,
      limitsAt,
      count,
      paddedDim,
      dKeyAt + to * <usize>paddedDim,
    );
    accumulateValues(dScoresAt, key, keyStep, limitsAt, count, paddedDim, dQueryAt, onesAt);
  }
}

/** A tile without expressions. */
function plainTile(purpose: i32, request: AttentionRequest, bits: usize, keys: i32, bytes: usize): void {
  const softcap = request.softcap;
  if (softcap > 0) capScores(softcap, scoresAt, keys, bytes);
  const scale = f32x4.splat(request.scale);
  const one = f32x4.splat(1);
  const inverseSoftcap = f32x4.splat(softcap > 0 ? 1 / softcap : 0);
  if (bits != 0) maskScores(bits, scoresAt, 0, keys, bytes);
  for (let lane: usize = 0; lane < bytes; lane += 16) {
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
    const lse = v128.load(lseAt + lane);
    const inverseSum = v128.load(inverseSumAt + lane);
    const end = <usize>keys * ROW;
    if (purpose == SUMS) {
      let sum = v128.load(weightsAt + lane);
      for (let i = lane; i < end; i += ROW) {
        sum = f32x4.add(
          sum,
          exp4WithConstants(
            f32x4.sub(v128.load(scoresAt + i), lse),
            log2e,
            minExponent,
            rounding,
            c5,
            c4,
            c3,
            c2,
            c1,
            c0,
          ),
        );
      }
      v128.store(weightsAt + lane, sum);
      continue;
    }
    // ds = w (dw − delta + dlse)
    const deltaMinusDLse = f32x4.sub(v128.load(deltaAt + lane), v128.load(dLseAt + lane));
    for (let i = lane; i < end; i += ROW) {
      const score = v128.load(scoresAt + i);
      const exponential = exp4WithConstants(
        f32x4.sub(score, lse),
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
      const weight = f32x4.mul(exponential, inverseSum);
      const cappedRatio = f32x4.mul(score, inverseSoftcap);
      const slope = f32x4.mul(f32x4.mul(weight, scale), f32x4.sub(one, f32x4.mul(cappedRatio, cappedRatio)));
      const gradient = f32x4.mul(slope, f32x4.sub(v128.load(dScoresAt + i), deltaMinusDLse));
      // A weight of 0 has no gradient, even if its value is NaN.
      v128.store(dScoresAt + i, v128.and(gradient, f32x4.ne(weight, zero())));
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
  const dScores = dScoresAt + before;
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
    const registers = registersAt + skip;
    runSteps(scoreMod, registers, Level.score, cappedAt + skip, batch, head, position, positions, rows, left);
    const result = resultRegister(scoreMod, registersAt);
    const masked = f32x4.splat(MASKED);
    for (let r: usize = 0; r < end; r += ROW) {
      for (let i = r + skip; i < r + bytes; i += 16)
        v128.store(scores + i, f32x4.pmax(v128.load(result + i), masked));
    }
  }
  if (bits != 0) maskScores(bits, scores, first, rows, bytes);
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
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const lse = v128.load(lseAt + i);
      const exponential = exp4WithConstants(
        f32x4.sub(v128.load(scores + r + i), lse),
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
      if (purpose == SUMS) v128.store(weightsAt + i, f32x4.add(v128.load(weightsAt + i), exponential));
      else v128.store(weights + r + i, f32x4.mul(exponential, v128.load(inverseSumAt + i)));
    }
  }
  if (purpose == SUMS) return;
  // Masked scores have no gradient: any remainder would be added to the tables.
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) {
      const masked = f32x4.le(v128.load(scores + i), f32x4.splat(MASKED));
      v128.store(dScores + i, v128.andnot(v128.load(dScores + i), masked));
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
    // The pass for delta must not add to the tables' gradients.
    const tableGradients: usize = purpose == DELTA ? 0 : tables + ((<usize>tableNumbers(scoreMod)) << 3);
    backwardSteps(weightMod, weightRegistersAt + skip, dScores + skip, tableGradients, rows, left, lanes);
  }
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const at = r + i;
      const weight = v128.load(weights + at);
      const dWeight = v128.load(dScores + at);
      if (purpose == DELTA) {
        v128.store(deltaAt + i, f32x4.add(v128.load(deltaAt + i), f32x4.mul(weight, dWeight)));
      } else {
        const deltaMinusDLse = f32x4.sub(v128.load(deltaAt + i), v128.load(dLseAt + i));
        const gradient = f32x4.mul(weight, f32x4.sub(dWeight, deltaMinusDLse));
        v128.store(dScores + at, v128.and(gradient, f32x4.ne(weight, zero())));
      }
    }
  }
  if (purpose == DELTA) return;
  if (weightMod != 0) {
    const result = resultRegister(weightMod, weightRegistersAt);
    for (let r: usize = 0; r < end; r += ROW) {
      for (let i = r; i < r + bytes; i += 16) {
        const masked = f32x4.le(v128.load(scores + i), f32x4.splat(MASKED));
        v128.store(weights + i, v128.andnot(v128.load(result + i), masked));
      }
    }
  }
  if (scoreMod != 0) backwardSteps(scoreMod, registersAt + skip, dScores + skip, tables, rows, left, lanes);
  const scale = f32x4.splat(request.scale);
  const one = f32x4.splat(1);
  const inverseSoftcap = f32x4.splat(softcap > 0 ? 1 / softcap : 0);
  for (let r: usize = 0; r < end; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) {
      const cappedRatio = f32x4.mul(v128.load(cappedAt + i), inverseSoftcap);
      const factor = f32x4.mul(scale, f32x4.sub(one, f32x4.mul(cappedRatio, cappedRatio)));
      v128.store(dScores + i, f32x4.mul(v128.load(dScores + i), factor));
    }
  }
}
