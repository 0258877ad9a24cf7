import {
  callSizes,
  isPaged,
  mapCall,
  type AttentionCall,
  type AttentionKernels,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import { Call, withCall, type Placed } from "../call.js";
import type { Engine } from "../engine.js";
import type { ReadPatterns } from "../read-pattern.js";
import { programsOf, writeRequest, type Programs } from "./attention-request.js";

/** Chunks that one item of decoding reads in rotation, if the read pattern is interleaved. */
const maxStreams = 4;

/**
 * Fused attention over the tiles of a plan. Keys and values are read in place; a tile is copied if its rows are not contiguous, if it
 * spans two segments, or if the size of values is no multiple of 8. With a single query (decoding), keys and values are read
 * once for all heads that share them. Score expressions are evaluated tile by tile, as lists of steps. Traced weights are the output
 * of a second call, whose values are the identity matrix. Other traces, calls with NaN, and expressions with an operation that the
 * kernels lack run on the plain device.
 */
export function attentionKernel(engine: Engine, patterns: ReadPatterns): AttentionKernels["attention"] {
  return function fusedAttention(call, outputs) {
    if (call.want.some((name) => name !== "lse" && name !== "weights") || !fits(call)) return false;
    const programs = programsOf(call);
    const { weights } = outputs;
    if (!programs || (weights && !hasTracedWeights(call))) return false;
    const { plan } = call;
    const { B, H, Hkv, T, D, Dv } = callSizes(call);
    const run = new Call(engine.memory);
    try {
      const placed = mapCall(call, (x) => run.input(x));
      const to = { output: run.output(outputs.output), lse: run.output(outputs.lse) };
      if (weights && !traceWeights(engine, run, placed, programs, run.output(weights))) return false;
      if (T > 1 || programs.score || programs.weight) {
        const at = writeRequest(run, placed, programs, to);
        const scratch = engine.exports["attentionForwardScratch"]!(at);
        return run.end(engine.parallel("attentionForward", B * H * plan.rows, scratch, at));
      }
      const chunkTiles = chunkTilesOf(plan.columns, Hkv);
      const chunks = Math.ceil(plan.columns / chunkTiles);
      const width = Math.ceil(Dv / 8) * 8;
      // The maximum m, the sum l, two numbers of padding, and the unnormalized output o.
      const partialBytes = Math.ceil((16 + 4 * width) / 64) * 64;
      const partials = run.scratch(B * H * chunks * partialBytes);
      const at = writeRequest(run, placed, programs, { ...to, partials, partialBytes, chunkTiles });
      const all = B * Hkv * chunks;
      const { pattern, end } = patterns.begin("decode", 4 * all * chunkTiles * plan.keyTile * (D + Dv));
      // A multiple of the number of threads.
      const items =
        pattern === "interleaved"
          ? Math.min(all, Math.ceil(all / maxStreams / engine.threads) * engine.threads)
          : all;
      const scratch = engine.exports["attentionDecodeScratch"]!(at, Math.ceil(all / items));
      const prefetch = Number(pattern === "prefetched");
      const done = engine.parallel("attentionDecode", items, scratch, at, all, items, prefetch);
      end(done);
      if (!done) return false;
      // Too little work to distribute to other threads.
      for (let item = 0; item < B * H; item++)
        if (engine.exports["attentionMerge"]!(item, 0, at)) return false;
      return run.end(true);
    } finally {
      run.free();
    }
  };
}

/** Keys of a call whose weights are traced, at most: the identity matrix has as many rows and columns. */
const mostTracedKeys = 2048;

/** True for a call whose weights the kernels trace: those of one segment of keys, before `weightMod`. */
function hasTracedWeights(call: AttentionCall): boolean {
  const { key } = call.keyValues;
  return key.length === 1 && !isPaged(key[0]!) && !call.weightMod && callSizes(call).S <= mostTracedKeys;
}

/** Writes weights: each is the sum of itself and zeros. */
function traceWeights(
  engine: Engine,
  run: Call,
  placed: AttentionCall<Placed>,
  programs: Programs,
  weights: Placed,
): boolean {
  const { B, H, Hkv, T, S } = callSizes(placed);
  const pointer = run.scratch(4 * S * S);
  const lse = run.scratch(4 * B * H * T);
  const identity = new Float32Array(engine.memory.memory.buffer, pointer, S * S).fill(0);
  for (let i = 0; i < S; i++) identity[i * S + i] = 1;
  const value = [{ shape: [B, Hkv, S, S], strides: [0, 0, S, 1], pointer }];
  const call = { ...placed, keyValues: { ...placed.keyValues, value } };
  const at = writeRequest(run, call, programs, {
    output: weights,
    lse: { shape: [B, H, T], strides: [H * T, T, 1], pointer: lse },
  });
  const scratch = engine.exports["attentionForwardScratch"]!(at);
  return engine.parallel("attentionForward", B * H * placed.plan.rows, scratch, at);
}

/**
 * Tiles of a chunk of keys in decoding: a power of two between 16 and 64 that leaves at least 16 chunks where it can. At both ends
 * of a chunk, keys or values are read alone, which is slower, so that long chunks are better. The number of threads and the batch
 * do not matter, so that results do not depend on them.
 */
export function chunkTilesOf(columns: number, numKvHeads: number): number {
  const tiles = Math.floor((columns * numKvHeads) / 16);
  return Math.min(64, Math.max(16, 2 ** Math.floor(Math.log2(Math.max(1, tiles)))));
}

/** Up to this many numbers in all, each item has its own sums of table gradients, which are added in order. */
const maxOwnSums = 2 ** 20;

/**
 * The backward pass of fused attention. An item is one key-value head; tiles of weights are recomputed. Gradients of large
 * tables, such as a dense bias, are summed by one thread, so that their order never changes.
 */
export function attentionBackwardKernel(engine: Engine): AttentionKernels["attentionBackward"] {
  return function fusedAttentionBackward(call, saved, { output: dOutput, lse: dLse, ...dTraces }, to) {
    if (Object.keys(dTraces).length > 0 || !fits(call)) return false;
    const programs = programsOf(call);
    if (!programs) return false;
    const { B, H, Hkv } = callSizes(call);
    const items = B * Hkv;
    const sizes = [...(programs.score?.tableSizes ?? []), ...(programs.weight?.tableSizes ?? [])];
    const numbers = sizes.reduce((a, b) => a + b, 0);
    const shared = items * numbers > maxOwnSums;
    return withCall(engine, (run) => {
      const placed = mapCall(call, (x) => run.input(x));
      const gradients = mapCall(to, (x) => run.output(x));
      const copies = shared ? 1 : items;
      const dTables = run.copy(new Float64Array(copies * numbers));
      const dSinks = run.copy(new Float32Array(B * H));
      const at = writeRequest(run, placed, programs, {
        output: run.input(saved.output),
        lse: run.input(saved.lse),
        dOutput: dOutput && run.input(dOutput),
        dLse: dLse && run.input(dLse),
        dQuery: gradients.query,
        // Paged blocks have no gradient: all segments are tensors.
        dKeys: gradients.keyValues.key as readonly Placed[],
        dValues: gradients.keyValues.value as readonly Placed[],
        dSinks,
        dTables,
        dTableStep: shared ? 0 : numbers,
      });
      const bytes = engine.exports["attentionBackwardScratch"]!(at);
      if (shared) {
        const scratch = run.scratch(bytes);
        for (let item = 0; item < items; item++) {
          if (engine.exports["attentionBackward"]!(item, scratch, at) !== 0) return false;
        }
      } else if (!engine.parallel("attentionBackward", items, bytes, at)) {
        return false;
      }
      const { buffer } = engine.memory.memory;
      const sums = new Float64Array(buffer, dTables, copies * numbers);
      const tables = [...(gradients.scoreMod?.tables ?? []), ...(gradients.weightMod?.tables ?? [])];
      let first = 0;
      sizes.forEach((size, k) => {
        const to = new Float32Array(buffer, tables[k]!.pointer, size);
        for (let n = 0; n < size; n++) {
          let sum = 0;
          for (let copy = 0; copy < copies; copy++) sum += sums[copy * numbers + first + n]!;
          to[n] = sum;
        }
        first += size;
      });
      if (gradients.sinks) {
        const sinkGradients = new Float32Array(buffer, dSinks, B * H);
        const to = new Float32Array(buffer, gradients.sinks.pointer, H);
        to.fill(0);
        sinkGradients.forEach((gradient, i) => (to[i % H]! += gradient));
      }
      return true;
    });
  };
}

function fits(call: AttentionCall): boolean {
  const { query, plan, keyValues } = call;
  const { B, H, T, S, D, Dv } = callSizes(call);
  // All other tensors have the type of the query, which `attention` has checked.
  const supported =
    query.dtype === "float32" && keyValues.key.every(isSupported) && keyValues.value.every(isSupported);
  return supported && B * H * T * D * Dv * S !== 0 && plan.queryTile === 64 && plan.keyTile === 64;
}

/** True for tensors, and for pages in float32 or int8, which the kernels dequantize. */
function isSupported(segment: KeyValueSegment): boolean {
  return !isPaged(segment) || !segment.scale || segment.data.dtype === "int8";
}
