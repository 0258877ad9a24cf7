import { elementTypes } from "../read-messages.js";
import type { OnnxGraph } from "../onnx-graph.js";
import { toInt64, axisLength, range, concatShape, slice, type NodeComposer } from "./node-composer.js";

/** A key padding mask, and the keys that it belongs to. */
type MaskedCall = {
  mask: string;
  graph: OnnxGraph;
  /** `[B, H, S, D]` */
  keys: string;
  /** Added to the score of a masked key: `mask_filter_value`. */
  filter: number;
};

/**
 * The bias that a key padding mask of Microsoft's operators adds to scores. The mask is `[B, S]` or `[B, T, S]`, where 0 masks
 * a key; `[B]`, the number of keys of each sequence; `[2 · B]`, those and the starts; or `[3 · B + 2]`, those and cumulative
 * lengths. Returns the reason if it cannot be computed.
 */
export function keyPaddingBias(
  c: NodeComposer,
  { mask, graph, keys, filter }: MaskedCall,
): { bias: string } | { reason: string } {
  const axes = graph.shape(mask)?.length;
  const toBias = (sees: string) => ({ bias: c.op("Where", [sees, c.float32(0), c.float32(filter)]) });
  if (axes === 1) {
    const B = axisLength(c, keys, 0);
    const keyPositions = range(c, axisLength(c, keys, 2));
    const column = (x: string) => c.op("Reshape", [x, c.int64List(-1, 1, 1, 1)]);
    const numbers = toInt64(c, mask);
    const ends = slice(c, numbers, 0, c.int64List(0), B);
    // `[2 · B]` has starts after the ends; in the other forms every sequence starts at 0.
    const twice = c.op("Mul", [B, c.int64List(2)]);
    const hasStarts = toInt64(c, c.op("Equal", [c.op("Shape", [numbers]), twice]));
    const none = c.op("Sub", [ends, ends]);
    const rest = c.op("Concat", [slice(c, numbers, 0, B, twice), none], { axis: 0 });
    const starts = c.op("Mul", [slice(c, rest, 0, c.int64List(0), B), hasStarts]);
    const before = c.op("Less", [keyPositions, column(ends)]);
    return toBias(c.op("And", [before, c.op("GreaterOrEqual", [keyPositions, column(starts)])]));
  }
  if (axes !== 2 && axes !== 3)
    return {
      reason: axes === undefined ? "the axes of its mask are not known" : `its mask has ${axes} axes`,
    };
  const rows = axes === 2 ? 1 : axisLength(c, mask, 1);
  const mask4d = c.op("Reshape", [mask, concatShape(c, axisLength(c, mask, 0), 1, rows, -1)]);
  return toBias(c.op("Cast", [mask4d], { to: elementTypes.bool }));
}

/**
 * Causal mask `[T, S]`, true where a query sees a key. The first query is at the position of the first of the `own` keys, those
 * after the past. The last query sees all keys, as in ONNX Runtime on CPUs; that matters only with more own keys than queries.
 */
export function causalMask(c: NodeComposer, query: string, keys: string, newKeys: string): string {
  const [T, S] = [axisLength(c, query, 2), axisLength(c, keys, 2)];
  const rows = c.op("Reshape", [range(c, T), c.int64List(-1, 1)]);
  const last = c.op("Equal", [rows, c.op("Sub", [T, c.int64(1)])]);
  const keyPositions = c.op("Add", [rows, c.op("Sub", [S, axisLength(c, newKeys, 2)])]);
  return c.op("Or", [c.op("LessOrEqual", [range(c, S), keyPositions]), last]);
}
