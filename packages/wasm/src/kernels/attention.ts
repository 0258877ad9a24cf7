import {
  callSizes,
  isPaged,
  mapCall,
  type AttentionCall,
  type AttentionKernels,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import { Call, withCall, type DeviceTensor } from "../call.js";
import type { Engine } from "../engine.js";
import type { ReadPatterns } from "../read-pattern.js";
import { compilePrograms, writeRequest, type Programs } from "./attention-request.js";

/** Chunks of keys that a work item of decoding reads round-robin with the `interleaved` read pattern. */
const maxStreams = 4;

/**
 * Fused attention over the tiles of a plan. Keys and values are read in place; a tile is copied if its rows are not contiguous, if
 * it spans two segments, or if the value dimension is not a multiple of 8. With a single query (decoding), keys and values are
 * read once for all heads of a group. Score expressions are evaluated tile by tile, as lists of steps. Traced weights are the
 * output of a second call, whose values are the identity matrix. Other traces, calls with NaN, and expressions with unsupported
 * operations run on the plain device.
 */
export function attentionKernel(engine: Engine, patterns: ReadPatterns): AttentionKernels["attention"] {
  return function fusedAttention(call, outputs) {
    if (call.traces.some((name) => name !== "lse" && name !== "weights") || !isSupportedCall(call))
      return false;
    const programs = compilePrograms(call);
    const { weights } = outputs;
    if (!programs || (weights && !hasTracedWeights(call))) return false;
    const { plan } = call;
    const { B, H, Hkv, T, D, Dv } = callSizes(call);
    const run = new Call(engine.memory);
    try {
      const deviceCall = mapCall(call, (x) => run.input(x));
      const to = { output: run.output(outputs.output), lse: run.output(outputs.lse) };
      if (weights && !traceWeights(engine, run, deviceCall, programs, run.output(weights))) return false;
      if (T > 1 || programs.score || programs.weight) {
        const at = writeRequest(run, deviceCall, programs, to);
        const scratch = engine.exports["attentionForwardScratch"]!(at);
        return run.end(engine.parallel("attentionForward", B * H * plan.rows, scratch, at));
      }
      const chunkTiles = tilesPerChunk(plan.columns, Hkv);
      const chunks = Math.ceil(plan.columns / chunkTiles);
      const width = Math.ceil(Dv / 8) * 8;
      // A partial result: the maximum m, the sum l, two numbers of padding, and the unnormalized output o.
      const partialBytes = Math.ceil((16 + 4 * width) / 64) * 64;
      const partials = run.scratch(B * H * chunks * partialBytes);
      const at = writeRequest(run, deviceCall, programs, { ...to, partials, partialBytes, chunkTiles });
      const totalChunks = B * Hkv * chunks;
      const { pattern, end } = patterns.begin(
        "decode",
        4 * totalChunks * chunkTiles * plan.keyTile * (D + Dv),
      );
      // A multiple of the number of threads.
      const items =
        pattern === "interleaved"
          ? Math.min(totalChunks, Math.ceil(totalChunks / maxStreams / engine.threads) * engine.threads)
          : totalChunks;
      const scratch = engine.exports["attentionDecodeScratch"]!(at, Math.ceil(totalChunks / items));
      const prefetch = Number(pattern === "prefetched");
      const done = engine.parallel("attentionDecode", items, scratch, at, totalChunks, items, prefetch);
      end(done);
      if (!done) return false;
      // Too little work for several threads.
      for (let item = 0; item < B * H; item++)
        if (engine.exports["attentionMerge"]!(item, 0, at)) return false;
      return run.end(true);
    } finally {
      run.free();
    }
  };
}

/** Largest number of keys of a call with traced weights: the identity matrix has as many rows and columns. */
const maxTracedKeys = 2048;

/** True if the kernels can trace the weights of a call, those before `weightMod`: it has a single segment of keys. */
function hasTracedWeights(call: AttentionCall): boolean {
  const { key } = call.keyValues;
  return key.length === 1 && !isPaged(key[0]!) && !call.weightMod && callSizes(call).S <= maxTracedKeys;
}

/** Computes the weights as an attention output, with the identity matrix as values. */
function traceWeights(
  engine: Engine,
  run: Call,
  deviceCall: AttentionCall<DeviceTensor>,
  programs: Programs,
  weights: DeviceTensor,
): boolean {
  const { B, H, Hkv, T, S } = callSizes(deviceCall);
  const pointer = run.scratch(4 * S * S);
  const lse = run.scratch(4 * B * H * T);
  const identity = new Float32Array(engine.memory.memory.buffer, pointer, S * S).fill(0);
  for (let i = 0; i < S; i++) identity[i * S + i] = 1;
  const value = [{ shape: [B, Hkv, S, S], strides: [0, 0, S, 1], pointer }];
  const call = { ...deviceCall, keyValues: { ...deviceCall.keyValues, value } };
  const at = writeRequest(run, call, programs, {
    output: weights,
    lse: { shape: [B, H, T], strides: [H * T, T, 1], pointer: lse },
  });
  const scratch = engine.exports["attentionForwardScratch"]!(at);
  return engine.parallel("attentionForward", B * H * deviceCall.plan.rows, scratch, at);
}

/**
 * Number of tiles in a chunk of keys for decoding: a power of two from 16 to 64, with at least 16 chunks if possible. Long chunks
 * are faster, because at both ends of a chunk keys and values are not read at the same time. The result is independent of the
 * number of threads and the batch size, so that the order of sums is, too.
 */
export function tilesPerChunk(columns: number, numKvHeads: number): number {
  const tiles = Math.floor((columns * numKvHeads) / 16);
  return Math.min(64, Math.max(16, 2 ** Math.floor(Math.log2(Math.max(1, tiles)))));
}

/** Largest total length of table gradients for which each item has its own sums, which are then added in order. */
const maxItemSums = 2 ** 20;

/**
 * The backward pass of fused attention. A work item is one key-value head; tiles of weights are recomputed. Gradients of large
 * tables, such as a dense bias, are summed by a single thread, so that the order of the sums is always the same.
 */
export function attentionBackwardKernel(engine: Engine): AttentionKernels["attentionBackward"] {
  return function fusedAttentionBackward(call, saved, { output: dOutput, lse: dLse, ...dTraces }, to) {
    if (Object.keys(dTraces).length > 0 || !isSupportedCall(call)) return false;
    const programs = compilePrograms(call);
    if (!programs) return false;
    const { B, H, Hkv } = callSizes(call);
    const items = B * Hkv;
    const tableLengths = [...(programs.score?.tableSizes ?? []), ...(programs.weight?.tableSizes ?? [])];
    const tableNumbers = tableLengths.reduce((a, b) => a + b, 0);
    const sharesSums = items * tableNumbers > maxItemSums;
    return withCall(engine, (run) => {
      const deviceCall = mapCall(call, (x) => run.input(x));
      const gradients = mapCall(to, (x) => run.output(x));
      const sumCopies = sharesSums ? 1 : items;
      const dTables = run.copy(new Float64Array(sumCopies * tableNumbers));
      const dSinks = run.copy(new Float32Array(B * H));
      const at = writeRequest(run, deviceCall, programs, {
        output: run.input(saved.output),
        lse: run.input(saved.lse),
        dOutput: dOutput && run.input(dOutput),
        dLse: dLse && run.input(dLse),
        dQuery: gradients.query,
        // Paged blocks have no gradient: all segments are tensors.
        dKeys: gradients.keyValues.key as readonly DeviceTensor[],
        dValues: gradients.keyValues.value as readonly DeviceTensor[],
        dSinks,
        dTables,
        dTableStep: sharesSums ? 0 : tableNumbers,
      });
      const bytes = engine.exports["attentionBackwardScratch"]!(at);
      if (sharesSums) {
        const scratch = run.scratch(bytes);
        for (let item = 0; item < items; item++) {
          if (engine.exports["attentionBackward"]!(item, scratch, at) !== 0) return false;
        }
      } else if (!engine.parallel("attentionBackward", items, bytes, at)) {
        return false;
      }
      const { buffer } = engine.memory.memory;
      const sums = new Float64Array(buffer, dTables, sumCopies * tableNumbers);
      const tables = [...(gradients.scoreMod?.tables ?? []), ...(gradients.weightMod?.tables ?? [])];
      let first = 0;
      tableLengths.forEach((size, k) => {
        const to = new Float32Array(buffer, tables[k]!.pointer, size);
        for (let n = 0; n < size; n++) {
          let sum = 0;
          for (let copy = 0; copy < sumCopies; copy++) sum += sums[copy * tableNumbers + first + n]!;
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

function isSupportedCall(call: AttentionCall): boolean {
  const { query, plan, keyValues } = call;
  const { B, H, T, S, D, Dv } = callSizes(call);
  // `attention` has checked that all other tensors have the dtype of the query.
  const supported =
    query.dtype === "float32" && keyValues.key.every(isSupported) && keyValues.value.every(isSupported);
  return supported && B * H * T * D * Dv * S !== 0 && plan.queryTile === 64 && plan.keyTile === 64;
}

/** True for tensors, and for paged blocks in float32 or in int8, which the kernels dequantize. */
function isSupported(segment: KeyValueSegment): boolean {
  return !isPaged(segment) || !segment.scale || segment.data.dtype === "int8";
}
