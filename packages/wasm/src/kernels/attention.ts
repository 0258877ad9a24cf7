import type { AttentionRequest } from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { withCall } from "../call.js";
import type { Engine } from "../engine.js";
import type { ReadPatterns } from "../read-pattern.js";
import { inputPlaces, programsOf, storedLength, writeRequest } from "./attention-request.js";

/** Tiles of a chunk of keys in decoding. The same in assembly/attention-decode.ts. */
const chunkTiles = 16;
/** Chunks that one item of decoding reads in rotation, at most, where the pattern is interleaved. */
const streams = 4;

/**
 * Fused attention over the tiles of a plan. Keys and values are read in place; only rows that do not lie one number
 * after the other, tiles that reach over two parts, and values whose size is no multiple of 8 are copied, a tile at a
 * time. A single query is decoded: keys and values are read once for all heads that share them. Expressions run tile by tile as lists of steps. Traces run on the plain device, and so does a call that meets a
 * number that is none, or an expression with a step that the kernels lack.
 */
export function attentionKernel(engine: Engine, patterns: ReadPatterns) {
  return (
    inputs: readonly View[],
    outputs: readonly View[],
    request: AttentionRequest & { want: readonly string[] },
  ): boolean => {
    if (request.want.length > 0 || !fits(inputs, request)) return false;
    const programs = programsOf(request, inputs);
    if (!programs) return false;
    return withCall(engine, (call) => {
      const pointers = call.place(inputs, outputs);
      const [output, lse] = outputs.map((view, i) => ({ view, pointer: pointers[inputs.length + i]! }));
      const [B, H, T] = inputs[0]!.shape as [number, number, number];
      const to = { output: output!, lse: lse! };
      const write = (partials: number) =>
        writeRequest(call, request, programs, inputs, pointers, { ...to, partials });
      if (T > 1 || programs.score || programs.weight) {
        const at = write(0);
        const scratch = engine.exports["attentionForwardScratch"]!(at);
        return engine.parallel("attentionForward", B * H * request.plan.rows, scratch, at);
      }
      const chunks = Math.ceil(request.plan.columns / chunkTiles);
      const width = Math.ceil(output!.view.shape[3]! / 8) * 8;
      const partial = Math.ceil((16 + 4 * width) / 64) * 64;
      const at = write(call.scratch(B * H * chunks * partial));
      const all = B * inputs[1]!.shape[1]! * chunks;
      const bytes =
        4 * all * chunkTiles * request.plan.keyTile * (inputs[0]!.shape[3]! + output!.view.shape[3]!);
      const done = patterns.run("decode", bytes, (pattern) => {
        // As many items for each thread.
        const items =
          pattern === "sequential"
            ? all
            : Math.min(all, Math.ceil(all / streams / engine.threads) * engine.threads);
        const scratch = engine.exports["attentionDecodeScratch"]!(at, Math.ceil(all / items));
        return engine.parallel("attentionDecode", items, scratch, at, all, items);
      });
      if (!done) return false;
      // Too little to wake other threads for.
      for (let item = 0; item < B * H; item++)
        if (engine.exports["attentionMerge"]!(item, 0, at)) return false;
      return true;
    });
  };
}

type BackwardRequest = AttentionRequest & {
  readonly inputs: number;
  readonly arrived: readonly number[];
};

/** Table gradients up to this many numbers are summed apart by each item, and the sums added in order. */
const apart = 2 ** 20;

/**
 * The gradient of fused attention. An item is one head of keys and values; tiles of weights are computed again.
 * Gradients of large tables, such as a dense bias, are summed by one thread, so that their order never changes.
 */
export function attentionBackwardKernel(engine: Engine) {
  return (all: readonly View[], outputs: readonly View[], request: BackwardRequest): boolean => {
    const inputs = all.slice(0, request.inputs);
    if (request.arrived.some((output) => output > 1) || !fits(inputs, request)) return false;
    const programs = programsOf(request, inputs);
    if (!programs) return false;
    const { parts, tables, end } = inputPlaces(request);
    const [B, H] = inputs[0]!.shape as [number, number];
    const items = B * inputs[1]!.shape[1]!;
    const sizes = [...(programs.score?.tableSizes ?? []), ...(programs.weight?.tableSizes ?? [])];
    const numbers = sizes.reduce((a, b) => a + b, 0);
    const shared = items * numbers > apart;
    return withCall(engine, (call) => {
      const pointers = call.place(all, outputs);
      const placed = [...all, ...outputs].map((view, i) => ({ view, pointer: pointers[i]! }));
      const arrived = (output: number) => {
        const index = request.arrived.indexOf(output);
        return index < 0 ? undefined : placed[request.inputs + 2 + index];
      };
      const gradients = placed.slice(all.length);
      const copies = shared ? 1 : items;
      const dTables = call.copy(new Float64Array(copies * numbers));
      const dSinks = call.copy(new Float32Array(B * H));
      const at = writeRequest(call, request, programs, inputs, pointers, {
        output: placed[request.inputs]!,
        lse: placed[request.inputs + 1]!,
        dOutput: arrived(0),
        dLse: arrived(1),
        dQuery: gradients[0]!,
        dKeys: gradients.slice(1, 1 + parts),
        dValues: gradients.slice(1 + parts, tables),
        dSinks,
        dTables,
        dTableStep: shared ? 0 : numbers,
      });
      const bytes = engine.exports["attentionBackwardScratch"]!(at);
      if (shared) {
        const scratch = call.scratch(bytes);
        for (let item = 0; item < items; item++) {
          if (engine.exports["attentionBackward"]!(item, scratch, at) !== 0) return false;
        }
      } else if (!engine.parallel("attentionBackward", items, bytes, at)) {
        return false;
      }
      const { buffer } = engine.memory.memory;
      const sums = new Float64Array(buffer, dTables, copies * numbers);
      let first = 0;
      sizes.forEach((size, k) => {
        const to = new Float32Array(buffer, gradients[tables + k]!.pointer, size);
        for (let n = 0; n < size; n++) {
          let sum = 0;
          for (let copy = 0; copy < copies; copy++) sum += sums[copy * numbers + first + n]!;
          to[n] = sum;
        }
        first += size;
      });
      if (request.hasSinks) {
        const slopes = new Float32Array(buffer, dSinks, B * H);
        const to = new Float32Array(buffer, gradients[end]!.pointer, H);
        to.fill(0);
        slopes.forEach((slope, i) => (to[i % H]! += slope));
      }
      return true;
    });
  };
}

function fits(inputs: readonly View[], request: AttentionRequest): boolean {
  const { parts, plan, layouts } = request;
  const [B, H, T, D] = inputs[0]!.shape as [number, number, number, number];
  const Dv = inputs[1 + parts]!.shape[3]!;
  const S = storedLength(request, inputs);
  const known = inputs.every(({ dtype }, i) => dtype === (layouts?.[i - 1]?.scaled ? "int8" : "float32"));
  return known && B * H * T * D * Dv * S !== 0 && plan.queryTile === 64 && plan.keyTile === 64;
}
