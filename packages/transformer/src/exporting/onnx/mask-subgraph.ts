import type { OnnxGraph } from "./onnx-graph.js";

/**
 * Query position minus key position, `[T, S]` int64. Queries are the last T of S tokens.
 *
 * @param ids - `[B, T]`
 * @param attended - `[B, S]`
 */
export function distanceSubgraph(g: OnnxGraph, ids: string, attended: string): string {
  const sequenceLength = (x: string) => g.op("Gather", [g.op("Shape", [x]), g.whole(1)], { axis: 0 });
  const [T, S] = [sequenceLength(ids), sequenceLength(attended)];
  const keys = g.op("Range", [g.whole(0), S, g.whole(1)]); // [S]
  const queries = g.op("Unsqueeze", [g.op("Range", [g.op("Sub", [S, T]), S, g.whole(1)]), g.list(1)]); // [T, 1]
  return g.op("Sub", [queries, keys]);
}

/**
 * Causal mask, `[B, 1, T, S]` bool: keys that are not padding, not after the query and, with a sliding window, inside
 * it.
 *
 * @param ids - `[B, T]`
 * @param attended - 1 for a token, 0 for padding, `[B, S]` int64.
 */
export function causalMaskSubgraph(g: OnnxGraph, ids: string, attended: string, window?: number): string {
  const distance = distanceSubgraph(g, ids, attended); // [T, S]
  const before = g.op("GreaterOrEqual", [distance, g.whole(0)]);
  const near =
    window === undefined ? before : g.op("And", [before, g.op("Less", [distance, g.whole(window)])]);
  return g.op("And", [near, realKeys(g, attended)]);
}

/** Padding mask: each query sees every key that is not padding. */
export function paddingMaskSubgraph(g: OnnxGraph, attended: string): string {
  const rows = g.op("Unsqueeze", [g.op("Cast", [attended], { to: 9 }), g.list(1, 3)]); // [B, 1, T, 1]
  const all = g.op("Or", [rows, g.op("Not", [rows])]);
  return g.op("And", [all, realKeys(g, attended)]);
}

/** `[B, 1, 1, S]` */
const realKeys = (g: OnnxGraph, attended: string) =>
  g.op("Unsqueeze", [g.op("Cast", [attended], { to: 9 }), g.list(1, 2)]);
