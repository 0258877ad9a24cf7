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
import { programsOf, writeRequest } from "./attention-request.js";

/** Chunks that one item of decoding reads in rotation, at most, where the pattern is interleaved. */
const streams = 4;

/**
 * Fused attention over the tiles of a plan. Keys and values are read in place; only rows that do not lie one number
 * after the other, tiles that reach over two segments, and values whose size is no multiple of 8 are copied, a tile at a
 * time. A single query is decoded: keys and values are read once for all heads that share them. Expressions run tile by
 * tile as lists of steps. Traces run on the plain device, and so does a call that meets NaN, or an
 * expression with a step that the kernels lack.
 */
export function attentionKernel(engine: Engine, patterns: ReadPatterns): AttentionKernels["attention"] {
  return function fusedAttention(call, outputs) {
    if (call.want.some((name) => name !== "lse") || !fits(call)) return false;
    const programs = programsOf(call);
    if (!programs) return false;
    const { plan } = call;
    const { B, H, Hkv, T, D, Dv } = callSizes(call);
    const run = new Call(engine.memory);
    try {
      const placed = mapCall(call, (x) => run.input(x));
      const to = { output: run.output(outputs.output), lse: run.output(outputs.lse) };
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
      // An equal number of items for each thread.
      const items =
        pattern === "interleaved"
          ? Math.min(all, Math.ceil(all / streams / engine.threads) * engine.threads)
          : all;
      const scratch = engine.exports["attentionDecodeScratch"]!(at, Math.ceil(all / items));
      const prefetch = Number(pattern === "prefetched");
      const done = engine.parallel("attentionDecode", items, scratch, at, all, items, prefetch);
      end(done);
      if (!done) return false;
      // Too little work to wake other threads.
      for (let item = 0; item < B * H; item++)
        if (engine.exports["attentionMerge"]!(item, 0, at)) return false;
      return run.end(true);
    } finally {
      run.free();
    }
  };
}

/**
 * Tiles of a chunk of keys in decoding: as many as leave 16 chunks to threads, between 16 and 64. At both ends of a chunk keys or
 * values are read alone, which is slower, so long ones are better. Threads and batch have no part in it, nor in results.
 */
export function chunkTilesOf(columns: number, numKvHeads: number): number {
  const tiles = Math.floor((columns * numKvHeads) / 16);
  return Math.min(64, Math.max(16, 2 ** Math.floor(Math.log2(Math.max(1, tiles)))));
}

/** Table gradients up to this many numbers are summed apart by each item, and the sums added in order. */
const apart = 2 ** 20;

/**
 * The gradient of fused attention. An item is one head of keys and values; tiles of weights are computed again.
 * Gradients of large tables, such as a dense bias, are summed by one thread, so that their order never changes.
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
    const shared = items * numbers > apart;
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
        // Blocks have no gradient: all segments are tensors.
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
        const slopes = new Float32Array(buffer, dSinks, B * H);
        const to = new Float32Array(buffer, gradients.sinks.pointer, H);
        to.fill(0);
        slopes.forEach((slope, i) => (to[i % H]! += slope));
      }
      return true;
    });
  };
}

function fits(call: AttentionCall): boolean {
  const { query, plan, keyValues } = call;
  const { B, H, T, S, D, Dv } = callSizes(call);
  // All other tensors have the type of the query, which `attention` has checked.
  const known = query.dtype === "float32" && keyValues.key.every(isRead) && keyValues.value.every(isRead);
  return known && B * H * T * D * Dv * S !== 0 && plan.queryTile === 64 && plan.keyTile === 64;
}

/** True for tensors, and for pages of whole numbers that the kernels multiply with their scales. */
function isRead(segment: KeyValueSegment): boolean {
  return !isPaged(segment) || !segment.scale || segment.data.dtype === "int8";
}
