// A linear recurrence, S ← exp(decay) S + key (value − Sᵀ erase)ᵀ, read by Sᵀ query. A work item is one head, whose state stays in
// the cache of a core. Chunks of tokens are matrix products, as in "Parallelizing Linear
// Transformers with the Delta Rule over Sequence Length" (2024), arXiv:2406.06484: since the chunks of a head are
// computed in order, the triangular system is solved for the written rows, without an inverse. A single token is one pass over the
// state. With `readsBefore`, queries read the state before their own token's update; with `erasesAfter`, the erased part is read
// after the decay.
import { ScanRequest, SCAN_TOKENS } from "./layout";
import { exp4, fma, sumLanes } from "./lanes";
import { copyRows } from "./request";
import { blockHeight, accumulateBlock, ROW } from "./tile";
import { storeTransposed } from "./transpose";

/** Bytes of one number for each pair of tokens of a chunk, and of one number for each token. */
const PAIRS: usize = <usize>SCAN_TOKENS * ROW;
const TOKENS: usize = ROW + 32;
/** Bytes of a state, in whole rows, that are read at a time. */
const PAGE: usize = 4096;
const LINE: usize = 64;
/** Lower limit of decays: exp of it is 0, and sums of decays stay accurate enough for their differences. */
const MIN_DECAY: f64 = -1e4;

/** A tensor in a request: address and strides, in consecutive fields. */
@unmanaged
class Strided {
  pointer: usize;
  batch: i32;
  head: i32;
  row: i32;
  column: i32;
}

const QUERY: usize = offsetof<ScanRequest>("query");
const KEY: usize = offsetof<ScanRequest>("key");
const VALUE: usize = offsetof<ScanRequest>("value");
const DECAY: usize = offsetof<ScanRequest>("decay");
const ERASE: usize = offsetof<ScanRequest>("erase");
const BETA: usize = offsetof<ScanRequest>("beta");
const INITIAL_STATE: usize = offsetof<ScanRequest>("initialState");

@inline
function tensorAt(request: ScanRequest, field: usize): Strided {
  return changetype<Strided>(changetype<usize>(request) + field);
}

/** Address of a row of a tensor, of a token or of a state. */
function rowAddress(request: ScanRequest, field: usize, batch: i32, head: i32, row: i32): usize {
  const x = tensorAt(request, field);
  const at = <usize>batch * <usize>x.batch + <usize>(head * x.head) + <usize>row * <usize>x.row;
  return x.pointer + (at << 2);
}

/** Addresses in scratch memory, for a head. */
@unmanaged
class Scratch {
  /** The state, [key][value]. */
  state: usize;
  /** Queries, keys and erase vectors, [channel][token]. */
  queries: usize;
  keys: usize;
  erases: usize;
  /** Keys times the decay to the end of the chunk, [token][channels of a block]. */
  keysAtEnd: usize;
  /** Decays between tokens j and i of a chunk: [j][i]. */
  between: usize;
  /** Products key j · query i times their decay and the scale: [j][i]. */
  reads: usize;
  /** Products key j · erase i times their decay and −beta: [j][i]. */
  erased: usize;
  /** Rows that are written to the state, and rows that are read from it: [token][value]. */
  written: usize;
  output: usize;
  /** Cumulative sums of decays, in float64. */
  sums: usize;
  /** Decays from the start of the chunk to before and to after each token, and from after it to the end of the chunk. */
  before: usize;
  after: usize;
  untilEnd: usize;
  /** Decays from after each token to the end of its block of 8, and from there to after each token. */
  untilBlock: usize;
  sinceBlock: usize;
  /** Decay of the whole chunk, once for each row that it scales. */
  total: usize;
  /** beta of each token, and −beta. */
  betas: usize;
  negativeBetas: usize;
  /** Factors of each token's output: of the part from its own chunk, and of the part from the state before the chunk. */
  scales: usize;
  readFactors: usize;
  /** Factors of 1. */
  ones: usize;
}

const SCRATCH_FIELDS_BYTES: usize = (offsetof<Scratch>() + 15) & ~15;

/** Bytes of a row of values, rounded up to pairs of vectors. */
@inline
function valueBytes(request: ScanRequest): usize {
  return (<usize>((request.valueDim + 7) & ~7)) << 2;
}

/** Bytes of a key, rounded up to whole vectors. */
@inline
function keyBytes(request: ScanRequest): usize {
  return (<usize>((request.keyDim + 3) & ~3)) << 2;
}

/** Bytes of scratch memory of a thread. */
export function scanScratch(at: usize): i32 {
  const request = changetype<ScanRequest>(at);
  const K = <usize>request.keyDim;
  const width = valueBytes(request);
  const stepwise: usize = 2 * (stepBytes(request) + K * width);
  const chunkwise: usize =
    SCRATCH_FIELDS_BYTES + K * width + 3 * K * ROW + 4 * PAIRS + 2 * <usize>SCAN_TOKENS * width + 12 * TOKENS;
  return <i32>((max(stepwise, chunkwise) + 63) & ~63);
}

export function scan(item: i32, scratch: usize, at: usize): void {
  const request = changetype<ScanRequest>(at);
  const first = item * request.statesPerItem;
  const end = min(request.states, first + request.statesPerItem);
  if (request.chunk == 1) return stepwise(request, first, end, scratch);
  for (let state = first; state < end; state++) chunkwise(request, state, scratch);
}

// Token by token

/** A token of a head: addresses of its rows, and of the state before and after it. */
@unmanaged
class Step {
  query: usize;
  key: usize;
  /** The erase vector times −beta. */
  erase: usize;
  written: usize;
  output: usize;
  decay: f32;
  from: usize;
  fromStep: usize;
  to: usize;
  /** Sum of numbers of prefetched cache lines: compilers may remove loads whose results are unused. */
  prefetched: u32;
}

const STEP: usize = (offsetof<Step>() + 15) & ~15;

/** Bytes of a step's fields and rows. */
function stepBytes(request: ScanRequest): usize {
  return STEP + 3 * keyBytes(request) + 2 * valueBytes(request);
}

/**
 * Each token reads the state twice: to compute what it erases, and to write the next state. If the next state is written to another
 * address, a page at a time, the next token (of the same head or the next one) reads a page at the same time, so that memory reads
 * and writes overlap. A state that is overwritten in place is in the cache of the core by then, and the next one is read afterwards.
 */
function stepwise(request: ScanRequest, first: i32, end: i32, scratch: usize): void {
  const K = request.keyDim;
  const V = request.valueDim;
  const width = valueBytes(request);
  const tokens = request.tokens;
  const rows = max(4, <i32>(PAGE / width));
  let current = stepAt(request, scratch);
  let next = stepAt(request, scratch + stepBytes(request));
  const states = scratch + 2 * stepBytes(request);
  beginStep(request, first, 0, current, 0, states);
  const erases = request.erase != 0;
  const readsBefore = request.readsBefore != 0;
  if (erases) readState(current, K, width);
  for (let state = first; state < end; state++) {
    for (let t = 0; t < tokens; t++) {
      const sameHead = t + 1 < tokens;
      const hasNext = sameHead || state + 1 < end;
      if (hasNext)
        beginStep(
          request,
          sameHead ? state : state + 1,
          sameHead ? t + 1 : 0,
          next,
          sameHead ? current.to : 0,
          states,
        );
      const overwrites = current.from == current.to && current.fromStep == width;
      if (erases && !readsBefore) finishOutput(current, keyBytes(request), width);
      if (erases && overwrites) overwriteState(current, K, width);
      else
        for (let i = 0; i < K; i += rows) {
          const count = min(rows, K - i);
          if (!erases) writeAndRead(current, i, count, width, readsBefore);
          else {
            writeNext(current, i, count, width);
            if (hasNext) readRows(next, i, count, width);
          }
        }
      if (erases && hasNext && overwrites) readState(next, K, width);
      memory.copy(
        request.output + (((<usize>state * <usize>tokens + <usize>t) * <usize>V) << 2),
        current.output,
        (<usize>V) << 2,
      );
      if (!sameHead && !writesInPlace(request))
        copyRowsOut(current.to, width, K, V, finalStateAddress(request, state));
      const previous = current;
      current = next;
      next = previous;
    }
  }
}

function stepAt(request: ScanRequest, at: usize): Step {
  const step = changetype<Step>(at);
  step.query = at + STEP;
  step.key = step.query + keyBytes(request);
  step.erase = step.key + keyBytes(request);
  step.written = step.erase + keyBytes(request);
  step.output = step.written + valueBytes(request);
  return step;
}

/** True if states are written to their final address: rows are whole pairs of vectors. Other states are in scratch memory meanwhile. */
@inline
function writesInPlace(request: ScanRequest): bool {
  return (request.valueDim & 7) == 0;
}

@inline
function finalStateAddress(request: ScanRequest, state: i32): usize {
  return request.finalState + ((<usize>state * <usize>(request.keyDim * request.valueDim)) << 2);
}

/**
 * Loads the rows of a token.
 *
 * @param before - Address of the state that the previous token wrote; 0 for the first token of a head.
 */
function beginStep(request: ScanRequest, state: i32, t: i32, step: Step, before: usize, states: usize): void {
  const batch = state / request.heads;
  const head = state % request.heads;
  const K = request.keyDim;
  const V = request.valueDim;
  const width = valueBytes(request);
  const numbers = <i32>(width >> 2);
  const scratchState = states + <usize>(state & 1) * <usize>K * width;
  step.to = writesInPlace(request) ? finalStateAddress(request, state) : scratchState;
  step.from = before;
  step.fromStep = width;
  if (before == 0) {
    const initial = rowAddress(request, INITIAL_STATE, batch, head, 0);
    if (writesInPlace(request) && request.initialStateColumn == 1) {
      step.from = initial;
      step.fromStep = (<usize>request.initialStateRow) << 2;
    } else {
      copyRows(initial, request.initialStateRow, request.initialStateColumn, K, V, step.to, numbers);
      step.from = step.to;
    }
  }
  const query = rowAddress(request, QUERY, batch, head, t);
  const key = rowAddress(request, KEY, batch, head, t);
  const value = rowAddress(request, VALUE, batch, head, t);
  const beta: f32 = request.beta != 0 ? load<f32>(rowAddress(request, BETA, batch, head, t)) : 1;
  loadRow(query, request.queryColumn, K, request.scale, step.query, keyBytes(request));
  loadRow(key, request.keyColumn, K, 1, step.key, keyBytes(request));
  loadRow(value, request.valueColumn, V, beta, step.written, width);
  for (let d: usize = 0; d < width; d += 16) v128.store(step.output + d, f32x4.splat(0));
  step.decay = 1;
  if (request.decay != 0) {
    const decay = rowAddress(request, DECAY, batch, head, t);
    step.decay = f32x4.extract_lane(exp4(v128.load32_splat(decay)), 0);
  }
  if (request.erase == 0) return;
  const erase = rowAddress(request, ERASE, batch, head, t);
  const eraseFactor = request.erasesAfter != 0 ? -beta * step.decay : -beta;
  loadRow(erase, request.eraseColumn, K, eraseFactor, step.erase, keyBytes(request));
}

/** Copies a row times a factor, padded with zeros to `bytes`. For so few numbers a call of memory.copy would be slower. */
function loadRow(from: usize, column: i32, count: i32, factor: f32, to: usize, bytes: usize): void {
  const by = f32x4.splat(factor);
  const end = (<usize>count) << 2;
  let d: usize = 0;
  if (column == 1)
    for (const whole = end & ~15; d < whole; d += 16) v128.store(to + d, f32x4.mul(by, v128.load(from + d)));
  for (; d < end; d += 4) store<f32>(to + d, factor * load<f32>(from + d * <usize>column));
  for (; d < bytes; d += 4) store<f32>(to + d, 0);
}

/** Multiplies numbers by a factor in place. */
function scale(at: usize, bytes: usize, factor: f32): void {
  const by = f32x4.splat(factor);
  for (const end = at + bytes; at < end; at += 16) v128.store(at, f32x4.mul(by, v128.load(at)));
}

/**
 * Reads a state with an erase: written −= Σ erase · state, output += Σ query · state. It computes four rows at a time, whose cache
 * lines it first loads in address order: reading several rows at once is slower for memory, and computing row by row is slower
 * because of the loads and stores of the sums.
 */
function readState(step: Step, count: i32, width: usize): void {
  const stride = step.fromStep;
  const written = step.written;
  const output = step.output;
  let from = step.from;
  let prefetched: u32 = 0;
  const fours = count & ~3;
  for (let i: usize = 0, end = (<usize>fours) << 2; i < end; i += 16) {
    const second = from + stride;
    const third = second + stride;
    const fourth = third + stride;
    for (let row = from; row <= fourth; row += stride)
      for (let d: usize = 0; d < width; d += LINE) prefetched |= load<u32>(row + d);
    const e0 = v128.load32_splat(step.erase + i);
    const e1 = v128.load32_splat(step.erase + i, 4);
    const e2 = v128.load32_splat(step.erase + i, 8);
    const e3 = v128.load32_splat(step.erase + i, 12);
    const q0 = v128.load32_splat(step.query + i);
    const q1 = v128.load32_splat(step.query + i, 4);
    const q2 = v128.load32_splat(step.query + i, 8);
    const q3 = v128.load32_splat(step.query + i, 12);
    for (let d: usize = 0; d < width; d += 16) {
      const s0 = v128.load(from + d);
      const s1 = v128.load(second + d);
      const s2 = v128.load(third + d);
      const s3 = v128.load(fourth + d);
      v128.store(written + d, fma(e3, s3, fma(e2, s2, fma(e1, s1, fma(e0, s0, v128.load(written + d))))));
      v128.store(output + d, fma(q3, s3, fma(q2, s2, fma(q1, s1, fma(q0, s0, v128.load(output + d))))));
    }
    from = fourth + stride;
  }
  step.prefetched = prefetched;
  readRows(step, fours, count - fours, width);
}

/** `readState` for some channels, row by row, which is faster while another state is written. */
function readRows(step: Step, first: i32, count: i32, width: usize): void {
  const written = step.written;
  const output = step.output;
  let from = step.from + <usize>first * step.fromStep;
  for (let i = (<usize>first) << 2, end = i + ((<usize>count) << 2); i < end; i += 4) {
    const e = v128.load32_splat(step.erase + i);
    const q = v128.load32_splat(step.query + i);
    for (let d: usize = 0; d < width; d += 16) {
      const s = v128.load(from + d);
      v128.store(written + d, fma(e, s, v128.load(written + d)));
      v128.store(output + d, fma(q, s, v128.load(output + d)));
    }
    from += step.fromStep;
  }
}

/**
 * Overwrites the state by the next one, column by column: the state is in the cache since it was read, so address order does not
 * matter, and the written values stay in registers for all rows of a cache line's columns.
 */
function overwriteState(step: Step, count: i32, width: usize): void {
  let d: usize = 0;
  for (; d + LINE <= width; d += LINE) overwriteColumns(step, count, width, d, true);
  if (d < width) overwriteColumns(step, count, width, d, false);
}

/** `overwriteState` for the columns of a cache line, or of half of one. */
@inline
function overwriteColumns(step: Step, count: i32, width: usize, at: usize, whole: bool): void {
  const by = f32x4.splat(step.decay);
  const written = step.written + at;
  const w0 = v128.load(written);
  const w1 = v128.load(written, 16);
  const w2 = whole ? v128.load(written, 32) : w0;
  const w3 = whole ? v128.load(written, 48) : w0;
  let row = step.to + at;
  for (let key = step.key, end = key + ((<usize>count) << 2); key < end; key += 4, row += width) {
    const k = v128.load32_splat(key);
    v128.store(row, fma(by, v128.load(row), f32x4.mul(k, w0)));
    v128.store(row, fma(by, v128.load(row, 16), f32x4.mul(k, w1)), 16);
    if (!whole) continue;
    v128.store(row, fma(by, v128.load(row, 32), f32x4.mul(k, w2)), 32);
    v128.store(row, fma(by, v128.load(row, 48), f32x4.mul(k, w3)), 48);
  }
}

/** Writes some channels of the next state, after all of the state was read. */
function writeNext(step: Step, first: i32, count: i32, width: usize): void {
  const by = f32x4.splat(step.decay);
  const written = step.written;
  let from = step.from + <usize>first * step.fromStep;
  let to = step.to + <usize>first * width;
  for (let i = (<usize>first) << 2, end = i + ((<usize>count) << 2); i < end; i += 4) {
    const k = v128.load32_splat(step.key + i);
    for (let d: usize = 0; d < width; d += 32) {
      v128.store(to + d, fma(by, v128.load(from + d), f32x4.mul(k, v128.load(written + d))));
      v128.store(to + d, fma(by, v128.load(from + d, 16), f32x4.mul(k, v128.load(written + d, 16))), 16);
    }
    from += step.fromStep;
    to += width;
  }
}

/** The output of a step with an erase: decay · Sᵀ query + (query · key) written, with S the state before the token. */
function finishOutput(step: Step, keyBytes: usize, width: usize): void {
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < keyBytes; i += 16)
    sums = fma(v128.load(step.query + i), v128.load(step.key + i), sums);
  const queryKey = f32x4.splat(sumLanes(sums));
  const decay = f32x4.splat(step.decay);
  for (let d: usize = 0; d < width; d += 16)
    v128.store(
      step.output + d,
      fma(queryKey, v128.load(step.written + d), f32x4.mul(decay, v128.load(step.output + d))),
    );
}

/** Writes some channels of the next state of a step without an erase, and reads them by the query, in one pass. */
function writeAndRead(step: Step, first: i32, count: i32, width: usize, readsBefore: bool): void {
  const by = f32x4.splat(step.decay);
  const written = step.written;
  const output = step.output;
  let from = step.from + <usize>first * step.fromStep;
  let to = step.to + <usize>first * width;
  for (let i = (<usize>first) << 2, end = i + ((<usize>count) << 2); i < end; i += 4) {
    const q = v128.load32_splat(step.query + i);
    const k = v128.load32_splat(step.key + i);
    for (let d: usize = 0; d < width; d += 32) {
      const b0 = v128.load(from + d);
      const b1 = v128.load(from + d, 16);
      const a0 = fma(k, v128.load(written + d), f32x4.mul(by, b0));
      const a1 = fma(k, v128.load(written + d, 16), f32x4.mul(by, b1));
      v128.store(to + d, a0);
      v128.store(to + d, a1, 16);
      v128.store(output + d, fma(q, readsBefore ? b0 : a0, v128.load(output + d)));
      v128.store(output + d, fma(q, readsBefore ? b1 : a1, v128.load(output + d, 16)), 16);
    }
    from += step.fromStep;
    to += width;
  }
}

// Chunk by chunk

function chunkwise(request: ScanRequest, item: i32, scratch: usize): void {
  const batch = item / request.heads;
  const head = item % request.heads;
  const buffers = changetype<Scratch>(scratch);
  assignScratch(request, buffers);
  const K = request.keyDim;
  const V = request.valueDim;
  const width = valueBytes(request);
  const numbers = <i32>(width >> 2);
  const before = request.readsBefore != 0;
  copyRows(
    rowAddress(request, INITIAL_STATE, batch, head, 0),
    request.initialStateRow,
    request.initialStateColumn,
    K,
    V,
    buffers.state,
    numbers,
  );
  for (let start = 0; start < request.tokens; start += request.chunk) {
    const n = min(request.chunk, request.tokens - start);
    const query = rowAddress(request, QUERY, batch, head, start);
    const key = rowAddress(request, KEY, batch, head, start);
    const value = rowAddress(request, VALUE, batch, head, start);
    transposeRows(query, request.queryRow, request.queryColumn, n, K, buffers.queries);
    transposeRows(key, request.keyRow, request.keyColumn, n, K, buffers.keys);
    sumDecays(request, batch, head, start, n, buffers);
    loadBetas(request, batch, head, start, n, buffers);

    if (request.erase != 0) {
      const erases = transposeErases(request, batch, head, start, n, buffers);
      memory.fill(buffers.written, 0, <usize>n * width);
      accumulateRows(erases, buffers.state, n, K, buffers.written, width, buffers.ones);
      subtractState(request, value, n, buffers, width);
      multiplyPairs(buffers, erases, n, K, buffers.erased);
      decayPairs(request, buffers, buffers.erased, n, true, request.erasesAfter != 0, buffers.negativeBetas);
      forwardSubstitution(buffers, n, width);
    } else {
      copyRows(value, request.valueRow, request.valueColumn, n, V, buffers.written, numbers);
      for (let i = 0; request.beta != 0 && i < n; i++)
        scale(buffers.written + <usize>i * width, width, load<f32>(buffers.betas + ((<usize>i) << 2)));
    }

    multiplyPairs(buffers, buffers.queries, n, K, buffers.reads);
    decayPairs(request, buffers, buffers.reads, n, before, !before, buffers.scales);
    const to = request.output + (((<usize>item * <usize>request.tokens + <usize>start) * <usize>V) << 2);
    const output = writesInPlace(request) ? to : buffers.output;
    memory.fill(output, 0, <usize>n * width);
    accumulateRows(buffers.queries, buffers.state, n, K, output, width, buffers.ones);
    accumulateRows(buffers.reads, buffers.written, n, n, output, width, buffers.readFactors, true);
    if (output != to) copyRowsOut(output, width, n, V, to);

    for (let first = 0; first < K; first += SCAN_TOKENS) {
      const channels = min(SCAN_TOKENS, K - first);
      decayKeys(request, key + ((<usize>(first * request.keyColumn)) << 2), n, channels, buffers);
      accumulateRows(
        buffers.keysAtEnd,
        buffers.written,
        channels,
        n,
        buffers.state + <usize>first * width,
        width,
        buffers.total,
      );
    }
  }
  copyRowsOut(buffers.state, width, K, V, finalStateAddress(request, item));
}

function assignScratch(request: ScanRequest, buffers: Scratch): void {
  const K = <usize>request.keyDim;
  const values = <usize>SCAN_TOKENS * valueBytes(request);
  buffers.state = changetype<usize>(buffers) + SCRATCH_FIELDS_BYTES;
  buffers.queries = buffers.state + K * valueBytes(request);
  buffers.keys = buffers.queries + K * ROW;
  buffers.erases = buffers.keys + K * ROW;
  buffers.keysAtEnd = buffers.erases + K * ROW;
  buffers.between = buffers.keysAtEnd + PAIRS;
  buffers.reads = buffers.between + PAIRS;
  buffers.erased = buffers.reads + PAIRS;
  buffers.written = buffers.erased + PAIRS;
  buffers.output = buffers.written + values;
  buffers.sums = buffers.output + values;
  buffers.before = buffers.sums + 2 * TOKENS;
  // Before a token is after the previous one.
  buffers.after = buffers.before + 4;
  buffers.untilEnd = buffers.before + TOKENS;
  buffers.untilBlock = buffers.untilEnd + TOKENS;
  buffers.sinceBlock = buffers.untilBlock + TOKENS;
  buffers.total = buffers.sinceBlock + TOKENS;
  buffers.betas = buffers.total + TOKENS;
  buffers.negativeBetas = buffers.betas + TOKENS;
  buffers.scales = buffers.negativeBetas + TOKENS;
  buffers.readFactors = buffers.scales + TOKENS;
  buffers.ones = buffers.readFactors + TOKENS;
  // The padding of a chunk's vectors must be zeros.
  memory.fill(buffers.queries, 0, 3 * K * ROW);
  // Default factors are 1.
  for (let i = buffers.before; i < buffers.ones + TOKENS; i += 4) store<f32>(i, 1);
  for (let i = buffers.negativeBetas; i < buffers.scales; i += 4) store<f32>(i, -1);
  for (let i = buffers.scales; i < buffers.ones; i += 4) store<f32>(i, request.scale);
}

/** Transposes rows of `dim` numbers to columns, [dim][64]. */
function transposeRows(from: usize, row: i32, column: i32, count: i32, dim: i32, to: usize): void {
  const across = (<usize>row) << 2;
  const rows = column == 1 ? count & ~3 : 0;
  const channels = column == 1 ? dim & ~3 : 0;
  // Rows come from memory, so they are read in address order; the columns stay in the cache.
  for (let r = 0; r < rows; r += 4) {
    const source = from + <usize>r * across;
    const target = to + ((<usize>r) << 2);
    for (let d = 0; d < channels; d += 4)
      storeTransposed(source + ((<usize>d) << 2), across, target + <usize>d * ROW, ROW);
  }
  for (let r = 0; r < count; r++) {
    const source = from + <usize>r * across;
    for (let d = r < rows ? channels : 0; d < dim; d++)
      store<f32>(to + <usize>d * ROW + ((<usize>r) << 2), load<f32>(source + ((<usize>(d * column)) << 2)));
  }
}

/** Computes the cumulative sums of a chunk's decays, and their exponentials. A decay of −∞ clears the state. */
function sumDecays(request: ScanRequest, batch: i32, head: i32, start: i32, n: i32, buffers: Scratch): void {
  if (request.decay == 0) return;
  const decays = rowAddress(request, DECAY, batch, head, start);
  let sum: f64 = 0;
  store<f64>(buffers.sums, 0);
  for (let i = 0; i < n; i++) {
    sum += max(MIN_DECAY, <f64>load<f32>(decays + ((<usize>(i * request.decayRow)) << 2)));
    store<f64>(buffers.sums + ((<usize>i) << 3), sum, 8);
  }
  const padded = (n + 7) & ~7;
  for (let i = n; i < padded; i++) store<f64>(buffers.sums + ((<usize>i) << 3), sum, 8);
  for (let i = 0; i < n; i += 4) {
    const sums = buffers.sums + ((<usize>i) << 3) + 8;
    v128.store(buffers.after + ((<usize>i) << 2), exp4(differences(sums, 0)));
    v128.store(buffers.untilEnd + ((<usize>i) << 2), exp4(f32x4.neg(differences(sums, sum))));
  }
  const total = exp4(f32x4.splat(<f32>sum));
  for (let i: usize = 0; i < TOKENS; i += 16) v128.store(buffers.total + i, total);
  const since = request.readsBefore != 0 ? buffers.before : buffers.after;
  for (let i: usize = 0; i < (<usize>n) << 2; i += 16)
    v128.store(buffers.readFactors + i, f32x4.mul(v128.load(buffers.scales + i), v128.load(since + i)));
  for (let block = 0; block < padded; block += 8) decaysOfBlock(buffers, block, padded);
}

/**
 * Computes the decays from after each token of a block of 8 to after each later token. Beyond the block they are products of two
 * decays, to its end and from there on, neither of which exceeds 1.
 */
function decaysOfBlock(buffers: Scratch, block: i32, padded: i32): void {
  const end = block + 8;
  const sums = buffers.sums + 8;
  const atEnd = load<f64>(buffers.sums + ((<usize>end) << 3));
  for (let i = end; i < padded; i += 4)
    v128.store(buffers.sinceBlock + ((<usize>i) << 2), exp4(differences(sums + ((<usize>i) << 3), atEnd)));
  for (let j = block; j < end; j += 4)
    v128.store(
      buffers.untilBlock + ((<usize>j) << 2),
      exp4(f32x4.neg(differences(sums + ((<usize>j) << 3), atEnd))),
    );
  for (let j = block; j < end; j++) {
    const after = load<f64>(sums + ((<usize>j) << 3));
    const row = buffers.between + <usize>j * ROW;
    for (let i = j & ~3; i < end; i += 4)
      v128.store(row + ((<usize>i) << 2), exp4(differences(sums + ((<usize>i) << 3), after)));
    const untilBlock = v128.load32_splat(buffers.untilBlock + ((<usize>j) << 2));
    for (let i = (<usize>end) << 2; i < (<usize>padded) << 2; i += 16)
      v128.store(row + i, f32x4.mul(untilBlock, v128.load(buffers.sinceBlock + i)));
  }
}

/** Loads beta of the tokens of a chunk. */
function loadBetas(request: ScanRequest, batch: i32, head: i32, start: i32, n: i32, buffers: Scratch): void {
  if (request.beta == 0) return;
  const from = rowAddress(request, BETA, batch, head, start);
  for (let i = 0; i < n; i++) {
    const beta = load<f32>(from + ((<usize>(i * request.betaRow)) << 2));
    store<f32>(buffers.betas + ((<usize>i) << 2), beta);
    store<f32>(buffers.negativeBetas + ((<usize>i) << 2), -beta);
  }
}

/** Returns the address of the erase vectors, [channel][token], which often are the keys. */
function transposeErases(
  request: ScanRequest,
  batch: i32,
  head: i32,
  start: i32,
  n: i32,
  buffers: Scratch,
): usize {
  const erases = tensorAt(request, ERASE);
  const keys = tensorAt(request, KEY);
  if (
    erases.pointer == keys.pointer &&
    erases.batch == keys.batch &&
    erases.head == keys.head &&
    erases.row == keys.row &&
    erases.column == keys.column
  )
    return buffers.keys;
  const erase = rowAddress(request, ERASE, batch, head, start);
  transposeRows(erase, request.eraseRow, request.eraseColumn, n, request.keyDim, buffers.erases);
  return buffers.erases;
}

/** Four cumulative sums of decays minus another one, as float32. */
@inline
function differences(sums: usize, subtrahend: f64): v128 {
  const subtrahends = f64x2.splat(subtrahend);
  const low = f32x4.demote_f64x2_zero(f64x2.sub(v128.load(sums), subtrahends));
  const high = f32x4.demote_f64x2_zero(f64x2.sub(v128.load(sums, 16), subtrahends));
  return v128.shuffle<i64>(low, high, 0, 2);
}

/** to[j][i] = key j · other i, for each token i ≥ j and some earlier ones. */
function multiplyPairs(buffers: Scratch, others: usize, n: i32, K: i32, to: usize): void {
  memory.fill(to, 0, <usize>n * ROW);
  const end = (<usize>((n + 7) & ~7)) << 2;
  let j = 0;
  for (let block = blockHeight(n); block > 0; j += block, block = blockHeight(n - j)) {
    const weights = buffers.keys + ((<usize>j) << 2);
    const row = to + <usize>j * ROW;
    const first = (<usize>(j & ~7)) << 2;
    accumulateBlock(block, weights, others + first, ROW, K, row + first, ROW, end - first, buffers.ones);
  }
}

/**
 * Multiplies pairs by the decay between their tokens, and clears those in which token i does not see token j.
 *
 * @param later - True if token i sees only earlier tokens, not itself.
 * @param after - True if the decay of token i is included.
 * @param factors - A factor for each token i.
 */
function decayPairs(
  request: ScanRequest,
  buffers: Scratch,
  pairs: usize,
  n: i32,
  later: bool,
  after: bool,
  factors: usize,
): void {
  const shift: usize = after ? 0 : 4;
  const lanes = i32x4(0, 1, 2, 3);
  for (let j = 0; j < n; j++) {
    const first = i32x4.splat(later ? j + 1 : j);
    const row = pairs + <usize>j * ROW;
    const between = buffers.between + <usize>j * ROW - shift;
    // A block of rows also reads pairs of up to five tokens before j.
    for (let i = max(0, j - 7) & ~3; i < n; i += 4) {
      const at = (<usize>i) << 2;
      let x = v128.load(row + at);
      if (request.decay != 0) x = f32x4.mul(x, v128.load(between + at));
      x = f32x4.mul(x, v128.load(factors + at));
      v128.store(row + at, v128.and(x, i32x4.ge_s(i32x4.add(lanes, i32x4.splat(i)), first)));
    }
  }
}

/** written = beta · (value − decay · written) */
function subtractState(request: ScanRequest, value: usize, n: i32, buffers: Scratch, width: usize): void {
  const V = request.valueDim;
  const across = (<usize>request.valueRow) << 2;
  const inLanes = request.valueColumn == 1 ? V & ~3 : 0;
  const decays = request.erasesAfter != 0 ? buffers.after : buffers.before;
  for (let i = 0; i < n; i++, value += across) {
    const beta = load<f32>(buffers.betas + ((<usize>i) << 2));
    const decay = beta * load<f32>(decays + ((<usize>i) << 2));
    const factor = f32x4.splat(beta);
    const by = f32x4.splat(-decay);
    const written = buffers.written + <usize>i * width;
    for (let d: usize = 0; d < (<usize>inLanes) << 2; d += 16)
      v128.store(written + d, fma(by, v128.load(written + d), f32x4.mul(factor, v128.load(value + d))));
    for (let d = inLanes; d < V; d++) {
      const at = written + ((<usize>d) << 2);
      const scaledValue = beta * load<f32>(value + ((<usize>(d * request.valueColumn)) << 2));
      store<f32>(at, scaledValue - decay * load<f32>(at));
    }
  }
}

/** Subtracts from each token's written row what it erases of rows written by earlier tokens of the chunk: forward substitution by blocks. */
function forwardSubstitution(buffers: Scratch, n: i32, width: usize): void {
  let i = 0;
  for (let block = blockHeight(n); block > 0; i += block, block = blockHeight(n - i)) {
    const weights = buffers.erased + ((<usize>i) << 2);
    const rows = buffers.written + <usize>i * width;
    accumulateBlock(block, weights, buffers.written, width, i, rows, width, width, buffers.ones);
    for (let r = 1; r < block; r++) {
      const row = rows + <usize>r * width;
      for (let j = 0; j < r; j++) {
        const weight = v128.load32_splat(buffers.erased + <usize>(i + j) * ROW + ((<usize>(i + r)) << 2));
        const from = rows + <usize>j * width;
        for (let d: usize = 0; d < width; d += 16)
          v128.store(row + d, fma(weight, v128.load(from + d), v128.load(row + d)));
      }
    }
  }
}

/** keysAtEnd = keys times the decay from after their token to the end of the chunk */
function decayKeys(request: ScanRequest, key: usize, n: i32, channels: i32, buffers: Scratch): void {
  const across = (<usize>request.keyRow) << 2;
  const inLanes = request.keyColumn == 1 ? channels & ~3 : 0;
  for (let i = 0; i < n; i++, key += across) {
    const decay = load<f32>(buffers.untilEnd + ((<usize>i) << 2));
    const by = f32x4.splat(decay);
    const row = buffers.keysAtEnd + <usize>i * ROW;
    for (let d: usize = 0; d < (<usize>inLanes) << 2; d += 16)
      v128.store(row + d, f32x4.mul(by, v128.load(key + d)));
    for (let d = inLanes; d < channels; d++)
      store<f32>(row + ((<usize>d) << 2), decay * load<f32>(key + ((<usize>(d * request.keyColumn)) << 2)));
  }
}

/**
 * sums[row] = sums[row] · correction[row] + Σ over keys of weight[key][row] · value[key]
 *
 * @param earlier - Takes only keys up to a block's last row.
 */
function accumulateRows(
  weights: usize,
  value: usize,
  rows: i32,
  keys: i32,
  sums: usize,
  width: usize,
  correction: usize,
  earlier: bool = false,
): void {
  let r = 0;
  for (let block = blockHeight(rows); block > 0; r += block, block = blockHeight(rows - r)) {
    const at = (<usize>r) << 2;
    const to = sums + <usize>r * width;
    const count = earlier ? r + block : keys;
    accumulateBlock(block, weights + at, value, width, count, to, width, width, correction + at);
  }
}

/** Copies rows of `width` bytes to contiguous rows of V numbers. */
function copyRowsOut(from: usize, width: usize, rows: i32, V: i32, to: usize): void {
  const bytes = (<usize>V) << 2;
  for (let r = 0; r < rows; r++, from += width, to += bytes) memory.copy(to, from, bytes);
}
