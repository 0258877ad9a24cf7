// Attention of a single query per head, as in decoding: keys and values are read once for all query heads that share them
// (split-KV, as in Flash-Decoding). The work is divided into chunks, each of one key-value head and some of its keys, whose length
// does not depend on the number of threads; another export merges the partial results (m, l, o) of the chunks.
import { AttentionRequest } from "./layout";
import { maxLane, fma, exp4WithConstants, expConstants, sumLanes, sumFourVectors, zero } from "./lanes";
import {
  accumulate1x16,
  accumulate1x2,
  accumulate1x8,
  accumulate2x2,
  accumulate2x4,
  dots1x4,
  dots2x4,
} from "./micro-kernels";
import { findRows, firstSegment, rowStep } from "./request";
import { allFinite, capScores, MASKED, KEYS } from "./tile";

const INITIAL_LARGEST: f32 = -1e30;
/** Bytes of one head's scores. */
const SCORES: usize = 256;
/** Bytes of keys, then of values, that are read at a time: of a single chunk, with prefetches, and of several round-robin. */
const PAGE: usize = 4096;
const PREFETCHED_PAGE: usize = 2048;
const SLICE: usize = 1024;
/** Bytes of the next tile's keys that are prefetched, and bytes of a cache line. */
const AHEAD: usize = 1024;
const LINE: usize = 64;

/** The state of a chunk. The keys of a tile are read together with the values of the previous tile, whose weights are known. */
@unmanaged
class Chunk {
  batch: i32;
  kvHead: i32;
  /** The next tile (a column of the plan), and the end of the chunk's tiles. */
  column: i32;
  last: i32;
  /** Address of the partial result (m, l, o) of the group's first head, and the stride between heads. */
  partial: usize;
  step: usize;
  /** Number of keys of the current tile, number of values of the previous one (0: none), and how many of them were read. */
  keys: i32;
  key: usize;
  keyStride: usize;
  values: i32;
  value: usize;
  valueStride: usize;
  at: i32;
  /** Addresses in scratch memory. */
  scores: usize;
  weights: usize;
  query: usize;
  keyCopy: usize;
  valueCopy: usize;
  /** Sum of prefetched numbers: compilers may remove loads whose results are unused. */
  prefetched: u32;
}

/** Bytes of a chunk's fields. */
const CHUNK_FIELDS_BYTES: usize = (offsetof<Chunk>() + 15) & ~15;

/** Number of chunks of a key-value head. */
@inline
function chunksPerHead(request: AttentionRequest): i32 {
  return (request.columns + request.chunkTiles - 1) / request.chunkTiles;
}

/** Bytes of a query, and of a key, rounded up to whole vectors. */
@inline
function keyBytes(request: AttentionRequest): usize {
  return (<usize>((request.dim + 3) & ~3)) << 2;
}

/** Bytes of a value, and of an output row, rounded up to pairs of vectors. */
@inline
function valueBytes(request: AttentionRequest): usize {
  return (<usize>((request.valueDim + 7) & ~7)) << 2;
}

/** Bytes of a chunk's fields and scratch memory. */
function chunkBytes(request: AttentionRequest): usize {
  const group = <usize>request.group;
  const keys = <usize>KEYS;
  const rows = (group + keys) * keyBytes(request) + keys * valueBytes(request);
  return (CHUNK_FIELDS_BYTES + 2 * group * SCORES + rows + 63) & ~63;
}

/** Bytes of scratch memory of a thread that reads `streams` chunks round-robin. */
export function attentionDecodeScratch(request: usize, streams: i32): i32 {
  return streams * <i32>chunkBytes(changetype<AttentionRequest>(request));
}

/**
 * A work item is the chunks `item`, `item + items` and so on, of `chunks` in total. A single chunk is read in address order, a page
 * of keys and a page of values at a time. Several chunks are read round-robin, 1 KiB of each: some processors read several streams
 * faster, others slower, see docs/decisions/0008-read-patterns.md. Each chunk then starts a part of a tile later than the previous
 * one, so that memory is read while scores of another chunk become weights. A single chunk begins each tile with half a page, so
 * that pages end inside of blocks of 4096 bytes; or, with `prefetch`, it loads the first cache lines of the next tile's keys while
 * scores become weights, with pages that end at blocks. All three ways sum in the same order, so results are the same to the last
 * bit. Returns 1 if a score is not finite.
 */
export function attentionDecode(
  item: i32,
  scratch: usize,
  at: usize,
  chunks: i32,
  items: i32,
  prefetch: i32,
): i32 {
  const request = changetype<AttentionRequest>(at);
  const bytes = chunkBytes(request);
  let end = scratch;
  let activeChunks = 0;
  for (let number = item; number < chunks; number += items, end += bytes) {
    const chunk = changetype<Chunk>(end);
    begin(request, number, chunk);
    activeChunks += <i32>nextTile(request, chunk);
  }
  const isSingleChunk = chunks <= items;
  const page = !isSingleChunk ? SLICE : prefetch ? PREFETCHED_PAGE : PAGE;
  const rows = max(4, (<i32>(page / keyBytes(request))) & ~3);
  const firstRows = isSingleChunk && !prefetch ? max(4, (rows >> 1) & ~3) : rows;
  const delay = KEYS / rows / <i32>((end - scratch) / bytes);
  for (let pass = 0; activeChunks > 0; pass++) {
    let first = 0;
    for (let c = scratch; c < end; c += bytes, first += delay) {
      const chunk = changetype<Chunk>(c);
      if (pass < first || (chunk.keys | chunk.values) == 0) continue;
      const step = chunk.at == 0 ? firstRows : rows;
      const keys = min(step, chunk.keys - chunk.at);
      const values = min(step, chunk.values - chunk.at);
      if (isSingleChunk) {
        if (keys > 0) scorePage(request, chunk, keys);
        if (values > 0) accumulatePage(request, chunk, values);
      } else {
        if (keys > 0) scoreSlice(request, chunk, keys);
        if (values > 0) accumulateSlice(request, chunk, values);
      }
      chunk.at += step;
      if (chunk.at < KEYS) continue;
      if (!isSingleChunk) finishOthers(request, chunk);
      else if (prefetch) prefetchKeys(chunk);
      if (!finishTile(request, chunk)) return 1;
      if (!nextTile(request, chunk)) activeChunks--;
    }
  }
  return 0;
}

function begin(request: AttentionRequest, number: i32, chunk: Chunk): void {
  const group = request.group;
  const kvHeads = request.heads / group;
  const chunks = chunksPerHead(request);
  const batchHead = number / chunks;
  const chunkIndex = number % chunks;
  const batch = batchHead / kvHeads;
  const kvHead = batchHead % kvHeads;
  chunk.batch = batch;
  chunk.kvHead = kvHead;
  chunk.column = chunkIndex * request.chunkTiles;
  chunk.last = min(request.columns, (chunkIndex + 1) * request.chunkTiles);
  chunk.values = 0;
  chunk.scores = changetype<usize>(chunk) + CHUNK_FIELDS_BYTES;
  chunk.weights = chunk.scores + <usize>group * SCORES;
  chunk.query = chunk.weights + <usize>group * SCORES;
  chunk.keyCopy = chunk.query + <usize>group * keyBytes(request);
  chunk.valueCopy = chunk.keyCopy + <usize>KEYS * keyBytes(request);
  const bytes = <usize>request.partialBytes;
  chunk.step = <usize>chunks * bytes;
  chunk.partial =
    request.partials + <usize>((batch * request.heads + kvHead * group) * chunks + chunkIndex) * bytes;
  for (let g = 0; g < group; g++) {
    loadQuery(request, batch, kvHead * group + g, chunk.query + <usize>g * keyBytes(request));
    const partial = chunk.partial + <usize>g * chunk.step;
    memory.fill(partial, 0, bytes);
    store<f32>(partial, INITIAL_LARGEST);
  }
}

/** Finds the next tile that a head of the group sees. Returns true if there is one, or if values of the last one are left. */
function nextTile(request: AttentionRequest, chunk: Chunk): bool {
  chunk.keys = 0;
  chunk.at = 0;
  while (chunk.keys == 0 && chunk.column < chunk.last) {
    const column = chunk.column++;
    let seen = 0;
    for (let g = 0; g < request.group; g++) seen |= tileClass(request, chunk, g, column);
    if (seen == 0) continue;
    const start = column << 6;
    chunk.keys = min(KEYS, request.keys - start);
    const wide = (<i32>keyBytes(request)) >> 2;
    chunk.key = findRows(
      firstSegment(request, 0),
      chunk.batch,
      chunk.kvHead,
      start,
      chunk.keys,
      request.dim,
      wide,
      chunk.keyCopy,
    );
    chunk.keyStride = (<usize>rowStep) << 2;
  }
  return (chunk.keys | chunk.values) != 0;
}

/** Loads the first cache lines after the keys of the tile, usually those of the next tile's keys. */
function prefetchKeys(chunk: Chunk): void {
  const start = chunk.key + <usize>chunk.keys * chunk.keyStride;
  const end = start + AHEAD;
  if (chunk.keys == 0 || chunk.column >= chunk.last || end > (<usize>memory.size()) << 16) return;
  let sum: u32 = 0;
  for (let line = start; line < end; line += LINE) sum |= load<u32>(line);
  chunk.prefetched = sum;
}

/** Turns the scores of a tile into weights of its values, which are read next. Returns true if all scores are finite. */
function finishTile(request: AttentionRequest, chunk: Chunk): bool {
  const keys = chunk.keys;
  const column = chunk.column - 1;
  chunk.values = keys;
  if (keys == 0) return true;
  for (let g = 0; g < request.group; g++) {
    const scores = chunk.scores + <usize>g * SCORES;
    if (request.softcap > 0) capScores(request.softcap, scores, 1, ((<usize>keys + 3) & ~3) << 2);
    applyMask(request, chunk, g, column, scores, keys);
    if (!onlineSoftmax(scores, keys, chunk.partial + <usize>g * chunk.step, valueBytes(request)))
      return false;
  }
  const weights = chunk.scores;
  chunk.scores = chunk.weights;
  chunk.weights = weights;
  const width = (<i32>valueBytes(request)) >> 2;
  chunk.value = findRows(
    firstSegment(request, 1),
    chunk.batch,
    chunk.kvHead,
    column << 6,
    keys,
    request.valueDim,
    width,
    chunk.valueCopy,
  );
  chunk.valueStride = (<usize>rowStep) << 2;
  return true;
}

/** Class of a tile for head g of a group. */
@inline
function tileClass(request: AttentionRequest, chunk: Chunk, g: i32, column: i32): i32 {
  return load<u8>(request.classes + tileAddress(request, chunk, g, column));
}

@inline
function tileAddress(request: AttentionRequest, chunk: Chunk, g: i32, column: i32): usize {
  const head = chunk.kvHead * request.group + g;
  return <usize>(chunk.batch * request.planBatch + head * request.planHead + column);
}

function loadQuery(request: AttentionRequest, batch: i32, head: i32, to: usize): void {
  const from = request.query + ((<usize>(batch * request.queryBatch + head * request.queryHead)) << 2);
  for (let d = 0; d < ((request.dim + 3) & ~3); d++) {
    const x: f32 =
      d < request.dim ? load<f32>(from + ((<usize>(d * request.queryColumn)) << 2)) * request.scale : 0;
    store<f32>(to + ((<usize>d) << 2), x);
  }
}

/** Scores of all heads of a group for the next `count` keys. */
function scorePage(request: AttentionRequest, chunk: Chunk, count: i32): void {
  const bytes = keyBytes(request);
  const stride = chunk.keyStride;
  const key = chunk.key + <usize>chunk.at * stride;
  const scores = chunk.scores + ((<usize>chunk.at) << 2);
  scoreFirst(key, stride, count, chunk.query, bytes, scores);
  if (request.group > 1) scoreOthers(request, chunk, key, count, scores);
}

/** Adds the next `count` values to the outputs of all heads of a group. */
function accumulatePage(request: AttentionRequest, chunk: Chunk, count: i32): void {
  const bytes = valueBytes(request);
  const stride = chunk.valueStride;
  const value = chunk.value + <usize>chunk.at * stride;
  const weights = chunk.weights + ((<usize>chunk.at) << 2);
  const output = chunk.partial + 16;
  let d: usize = 0;
  for (; d + 256 <= bytes; d += 256) accumulate1x16(weights, 0, value + d, stride, count, output + d, 0);
  for (; d + 128 <= bytes; d += 128) accumulate1x8(weights, 0, value + d, stride, count, output + d, 0);
  for (; d < bytes; d += 32) accumulate1x2(weights, 0, value + d, stride, count, output + d, 0);
  if (request.group > 1) accumulateOthers(request, chunk, value, count, weights);
}

/** Scores of a group's first head for the next `count` keys. */
@inline
function scoreSlice(request: AttentionRequest, chunk: Chunk, count: i32): void {
  const key = chunk.key + <usize>chunk.at * chunk.keyStride;
  const scores = chunk.scores + ((<usize>chunk.at) << 2);
  scoreFirst(key, chunk.keyStride, count, chunk.query, keyBytes(request), scores);
}

/** Adds the next `count` values to the output of a group's first head. */
@inline
function accumulateSlice(request: AttentionRequest, chunk: Chunk, count: i32): void {
  const value = chunk.value + <usize>chunk.at * chunk.valueStride;
  const weights = chunk.weights + ((<usize>chunk.at) << 2);
  accumulateFours(weights, value, chunk.valueStride, count, valueBytes(request), chunk.partial + 16);
}

/** Scores and outputs of all heads of a group but the first, for tiles that are in the core's cache now. */
function finishOthers(request: AttentionRequest, chunk: Chunk): void {
  if (request.group == 1) return;
  if (chunk.keys > 0) scoreOthers(request, chunk, chunk.key, chunk.keys, chunk.scores);
  if (chunk.values > 0) accumulateOthers(request, chunk, chunk.value, chunk.values, chunk.weights);
}

/** Scores of one head. Keys are read one after the other, in address order. */
function scoreFirst(key: usize, stride: usize, keys: i32, query: usize, bytes: usize, scores: usize): void {
  let j = 0;
  for (; j + 4 <= keys; j += 4) {
    const k0 = key + <usize>j * stride;
    const k1 = k0 + stride;
    const k2 = k1 + stride;
    const k3 = k2 + stride;
    const sums = sumFourVectors(
      dot(k0, query, bytes),
      dot(k1, query, bytes),
      dot(k2, query, bytes),
      dot(k3, query, bytes),
    );
    v128.store(scores + ((<usize>j) << 2), sums);
  }
  for (; j < keys; j++)
    store<f32>(scores + ((<usize>j) << 2), sumLanes(dot(key + <usize>j * stride, query, bytes)));
}

/** Scores of all heads of a group but the first, for keys that the first has read. `scores` are the first head's. */
function scoreOthers(request: AttentionRequest, chunk: Chunk, key: usize, keys: i32, scores: usize): void {
  const stride = chunk.keyStride;
  const group = request.group;
  const bytes = keyBytes(request);
  const fours = keys & ~3;
  const rest = key + <usize>fours * stride;
  let query = chunk.query + bytes;
  let g = 1;
  scores += SCORES;
  for (; g + 2 <= group; g += 2, query += bytes * 2, scores += SCORES * 2) {
    for (let j = 0; j < fours; j += 4) {
      dots2x4(key + <usize>j * stride, stride, query, bytes, bytes, scores + ((<usize>j) << 2), SCORES);
    }
    if (fours == keys) continue;
    const at = scores + ((<usize>fours) << 2);
    scoreFirst(rest, stride, keys - fours, query, bytes, at);
    scoreFirst(rest, stride, keys - fours, query + bytes, bytes, at + SCORES);
  }
  if (g == group) return;
  for (let j = 0; j < fours; j += 4)
    dots1x4(key + <usize>j * stride, stride, query, 0, bytes, scores + ((<usize>j) << 2), 0);
  scoreFirst(rest, stride, keys - fours, query, bytes, scores + ((<usize>fours) << 2));
}

/** The dot product of a key and a query, in four partial sums. */
@inline
function dot(key: usize, query: usize, bytes: usize): v128 {
  let a = zero();
  let b = zero();
  let c = zero();
  let d = zero();
  const end = query + bytes;
  for (const vectorsEnd = query + (bytes & ~63); query < vectorsEnd; query += 64, key += 64) {
    a = fma(v128.load(key), v128.load(query), a);
    b = fma(v128.load(key, 16), v128.load(query, 16), b);
    c = fma(v128.load(key, 32), v128.load(query, 32), c);
    d = fma(v128.load(key, 48), v128.load(query, 48), d);
  }
  for (; query < end; query += 16, key += 16) a = fma(v128.load(key), v128.load(query), a);
  return f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
}

/** Applies the mask to the scores of one head, and masks those beyond the last key. */
function applyMask(
  request: AttentionRequest,
  chunk: Chunk,
  g: i32,
  column: i32,
  scores: usize,
  keys: i32,
): void {
  for (let j = keys; j < ((keys + 3) & ~3); j++) store<f32>(scores + ((<usize>j) << 2), MASKED);
  const maskClass = tileClass(request, chunk, g, column);
  if (maskClass == 2) return;
  const bits =
    request.bits + ((<usize>load<u32>(request.bitsAt + (tileAddress(request, chunk, g, column) << 2))) << 2);
  for (let j = 0; j < keys; j++) {
    const seen = maskClass == 0 ? 0 : (load<u32>(bits + ((<usize>(j >> 5)) << 2)) >>> (j & 31)) & 1;
    if (!seen) store<f32>(scores + ((<usize>j) << 2), MASKED);
  }
}

/** The online-softmax update of m, l and o (o is rescaled only if m grows); scores become weights. Returns true if all scores are finite. */
function onlineSoftmax(scores: usize, keys: i32, partial: usize, bytes: usize): bool {
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
  const end = scores + ((<usize>((keys + 3) & ~3)) << 2);
  const previousLargest = load<f32>(partial);
  let maxima = f32x4.splat(previousLargest);
  let nonFinite = zero();
  for (let at = scores; at < end; at += 16) {
    const score = v128.load(at);
    maxima = f32x4.pmax(maxima, score);
    const difference = f32x4.sub(score, score);
    nonFinite = v128.or(nonFinite, f32x4.ne(difference, difference));
  }
  if (v128.any_true(nonFinite)) return false;
  const largest = maxLane(maxima);
  const splat = f32x4.splat(largest);
  let sums = zero();
  for (let at = scores; at < end; at += 16) {
    const power = exp4WithConstants(
      f32x4.sub(v128.load(at), splat),
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
    sums = f32x4.add(sums, power);
  }
  if (largest == previousLargest) {
    store<f32>(partial, load<f32>(partial, 4) + sumLanes(sums), 4);
    return true;
  }
  const correction = exp4WithConstants(
    f32x4.sub(f32x4.splat(previousLargest), splat),
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
  store<f32>(partial, largest);
  store<f32>(partial, load<f32>(partial, 4) * f32x4.extract_lane(correction, 0) + sumLanes(sums), 4);
  for (let d: usize = 16; d < 16 + bytes; d += 16) {
    v128.store(partial + d, f32x4.mul(correction, v128.load(partial + d)));
  }
  return true;
}

/** Adds values times weights to the output of one head, four values at a time. */
function accumulateFours(
  weights: usize,
  value: usize,
  stride: usize,
  keys: i32,
  bytes: usize,
  output: usize,
): void {
  const last = weights + ((<usize>keys) << 2);
  for (; weights + 16 <= last; weights += 16, value += stride * 4) {
    const w0 = v128.load32_splat(weights);
    const w1 = v128.load32_splat(weights, 4);
    const w2 = v128.load32_splat(weights, 8);
    const w3 = v128.load32_splat(weights, 12);
    const second = value + stride;
    const third = second + stride;
    const fourth = third + stride;
    for (let d: usize = 0; d < bytes; d += 32) {
      const at = output + d;
      const a = fma(w0, v128.load(value + d), v128.load(at));
      const b = fma(w0, v128.load(value + d, 16), v128.load(at, 16));
      const a1 = fma(w1, v128.load(second + d), a);
      const b1 = fma(w1, v128.load(second + d, 16), b);
      const a2 = fma(w2, v128.load(third + d), a1);
      const b2 = fma(w2, v128.load(third + d, 16), b1);
      v128.store(at, fma(w3, v128.load(fourth + d), a2));
      v128.store(at, fma(w3, v128.load(fourth + d, 16), b2), 16);
    }
  }
  for (; weights < last; weights += 4, value += stride) {
    const w = v128.load32_splat(weights);
    for (let d: usize = 0; d < bytes; d += 16)
      v128.store(output + d, fma(w, v128.load(value + d), v128.load(output + d)));
  }
}

/** Adds values that the first head has read to the outputs of all heads of a group but the first. `weights` are the first's. */
function accumulateOthers(
  request: AttentionRequest,
  chunk: Chunk,
  value: usize,
  keys: i32,
  weights: usize,
): void {
  const stride = chunk.valueStride;
  const step = chunk.step;
  const group = request.group;
  const bytes = valueBytes(request);
  let output = chunk.partial + step + 16;
  let g = 1;
  weights += SCORES;
  for (; g + 2 <= group; g += 2, weights += SCORES * 2, output += step * 2) {
    let d: usize = 0;
    for (; d + 64 <= bytes; d += 64)
      accumulate2x4(weights, SCORES, value + d, stride, keys, output + d, step);
    for (; d < bytes; d += 32) accumulate2x2(weights, SCORES, value + d, stride, keys, output + d, step);
  }
  if (g == group) return;
  let d: usize = 0;
  for (; d + 128 <= bytes; d += 128) accumulate1x8(weights, 0, value + d, stride, keys, output + d, 0);
  for (; d < bytes; d += 32) accumulate1x2(weights, 0, value + d, stride, keys, output + d, 0);
}

/** A work item is one head of one batch: merges the partial results of its chunks, in order. Returns 1 if the output is not finite. */
export function attentionMerge(item: i32, scratch: usize, at: usize): i32 {
  const request = changetype<AttentionRequest>(at);
  const chunks = chunksPerHead(request);
  const valueDim = request.valueDim;
  const step = <usize>request.partialBytes;
  const first = request.partials + <usize>(item * chunks) * step;
  const head = item % request.heads;
  const sink: f32 =
    request.sinks == 0 ? -Infinity : load<f32>(request.sinks + ((<usize>(head * request.sinkStep)) << 2));
  let largest: f32 = max<f32>(INITIAL_LARGEST, sink);
  for (let c = 0; c < chunks; c++) largest = max<f32>(largest, load<f32>(first + <usize>c * step));
  let sum: f64 = NativeMath.exp(<f64>sink - <f64>largest);
  for (let c = 0; c < chunks; c++) {
    const partial = first + <usize>c * step;
    const rescale = NativeMath.exp(<f64>load<f32>(partial) - <f64>largest);
    sum += <f64>load<f32>(partial, 4) * rescale;
    store<f32>(partial, <f32>rescale, 8);
  }
  for (let c = 0; c < chunks; c++)
    if (!allFinite(first + <usize>c * step + 16, (<i32>valueBytes(request)) >> 2)) return 1;
  const to = request.output + ((<usize>(item * valueDim)) << 2);
  const factor = sum > 0 ? 1 / sum : 0;
  for (let d: usize = 0; d < (<usize>valueDim) << 2; d += 4) {
    let weightedSum: f64 = 0;
    for (let c = 0; c < chunks; c++) {
      const partial = first + <usize>c * step;
      weightedSum += <f64>load<f32>(partial, 8) * <f64>load<f32>(partial + d, 16);
    }
    store<f32>(to + d, <f32>(weightedSum * factor));
  }
  store<f32>(
    request.lse + ((<usize>item) << 2),
    sum > 0 ? <f32>(<f64>largest + NativeMath.log(sum)) : -Infinity,
  );
  return 0;
}
