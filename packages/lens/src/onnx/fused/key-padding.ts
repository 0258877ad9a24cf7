import { elementTypes } from "../read-messages.js";
import type { OnnxGraph } from "../onnx-graph.js";
import { inInt64, lengthOf, range, shapeOf, sliced, type NodeComposer } from "./node-composer.js";

/** Parts of a call that a mask of keys belongs to. */
type MaskedCall = {
  mask: string;
  graph: OnnxGraph;
  /** `[B, H, S, D]` */
  keys: string;
  /** Added to the score of a key that is not seen. */
  filter: number;
};

/**
 * The numbers that a mask of keys adds to scores, in Microsoft's operators: of `[B, S]` or `[B, T, S]` numbers where 0 hides
 * a key, or of ends `[B]`, or of ends and starts `[2 · B]`, or of ends before sums of lengths `[3 · B + 2]`. Otherwise the
 * reason for which it cannot be told.
 */
export function keyPaddingBias(
  c: NodeComposer,
  { mask, graph, keys, filter }: MaskedCall,
): { bias: string } | { reason: string } {
  const axes = graph.shape(mask)?.length;
  const added = (sees: string) => ({ bias: c.op("Where", [sees, c.float32(0), c.float32(filter)]) });
  if (axes === 1) {
    const B = lengthOf(c, keys, 0);
    const places = range(c, lengthOf(c, keys, 2));
    const column = (x: string) => c.op("Reshape", [x, c.int64List(-1, 1, 1, 1)]);
    const numbers = inInt64(c, mask);
    const ends = sliced(c, numbers, 0, c.int64List(0), B);
    // Starts follow the ends where there are as many; elsewhere a key may be the first.
    const twice = c.op("Mul", [B, c.int64List(2)]);
    const hasStarts = inInt64(c, c.op("Equal", [c.op("Shape", [numbers]), twice]));
    const none = c.op("Sub", [ends, ends]);
    const rest = c.op("Concat", [sliced(c, numbers, 0, B, twice), none], { axis: 0 });
    const starts = c.op("Mul", [sliced(c, rest, 0, c.int64List(0), B), hasStarts]);
    const before = c.op("Less", [places, column(ends)]);
    return added(c.op("And", [before, c.op("GreaterOrEqual", [places, column(starts)])]));
  }
  if (axes !== 2 && axes !== 3)
    return {
      reason: axes === undefined ? "the axes of its mask are not known" : `its mask has ${axes} axes`,
    };
  const rows = axes === 2 ? 1 : lengthOf(c, mask, 1);
  const placed = c.op("Reshape", [mask, shapeOf(c, lengthOf(c, mask, 0), 1, rows, -1)]);
  return added(c.op("Cast", [placed], { to: elementTypes.bool }));
}

/**
 * True where a key is not after its query, `[T, S]`: the first query has the place of the first of the `own` keys, those
 * that are not of a past. The last query sees all keys, as in ONNX Runtime on CPUs; that makes a difference only where there
 * are more own keys than queries.
 */
export function notAfter(c: NodeComposer, query: string, keys: string, own: string): string {
  const [T, S] = [lengthOf(c, query, 2), lengthOf(c, keys, 2)];
  const rows = c.op("Reshape", [range(c, T), c.int64List(-1, 1)]);
  const last = c.op("Equal", [rows, c.op("Sub", [T, c.int64(1)])]);
  const places = c.op("Add", [rows, c.op("Sub", [S, lengthOf(c, own, 2)])]);
  return c.op("Or", [c.op("LessOrEqual", [range(c, S), places]), last]);
}
