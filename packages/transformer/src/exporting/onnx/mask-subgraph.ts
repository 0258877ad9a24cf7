import type { OnnxGraph } from "./onnx-graph.js";

const boolType = 9; // of ONNX TensorProto.DataType

/**
 * Query position minus key position, `[T, S]` int64. Queries are the last T of S tokens.
 *
 * @param ids - `[B, T]`
 * @param attentionMask - `[B, S]`
 */
export function distanceSubgraph(g: OnnxGraph, ids: string, attentionMask: string): string {
  const sequenceLength = (x: string) => g.op("Gather", [g.op("Shape", [x]), g.integer(1)], { axis: 0 });
  const [T, S] = [sequenceLength(ids), sequenceLength(attentionMask)];
  const keys = g.op("Range", [g.integer(0), S, g.integer(1)]); // [S]
  const queries = g.op("Unsqueeze", [g.op("Range", [g.op("Sub", [S, T]), S, g.integer(1)]), g.list(1)]); // [T, 1]
  return g.op("Sub", [queries, keys]);
}

/**
 * Causal mask, `[B, 1, T, S]` bool: keys that are not padding, not after the query and, with a sliding window, inside
 * it.
 *
 * @param ids - `[B, T]`
 * @param attentionMask - 1 for a token, 0 for padding, `[B, S]` int64.
 */
export function causalMaskSubgraph(
  g: OnnxGraph,
  ids: string,
  attentionMask: string,
  window?: number,
): string {
  const distance = distanceSubgraph(g, ids, attentionMask); // [T, S]
  const before = g.op("GreaterOrEqual", [distance, g.integer(0)]);
  const inWindow =
    window === undefined ? before : g.op("And", [before, g.op("Less", [distance, g.integer(window)])]);
  return g.op("And", [inWindow, keysWithoutPadding(g, attentionMask)]);
}

/** Padding mask: each query sees every key that is not padding. */
export function paddingMaskSubgraph(g: OnnxGraph, attentionMask: string): string {
  const rows = g.op("Unsqueeze", [g.op("Cast", [attentionMask], { to: boolType }), g.list(1, 3)]); // [B, 1, T, 1]
  const allTrue = g.op("Or", [rows, g.op("Not", [rows])]);
  return g.op("And", [allTrue, keysWithoutPadding(g, attentionMask)]);
}

/** True for keys that are not padding, `[B, 1, 1, S]`. */
const keysWithoutPadding = (g: OnnxGraph, attentionMask: string) =>
  g.op("Unsqueeze", [g.op("Cast", [attentionMask], { to: boolType }), g.list(1, 2)]);
