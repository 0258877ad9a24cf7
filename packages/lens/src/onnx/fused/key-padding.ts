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
 * a key, or of lengths `[B]`, or of ends and starts `[2 · B]`. Otherwise the reason for which it cannot be told.
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
    // Starts follow the ends, where there are any.
    const rest = sliced(c, numbers, 0, B, c.op("Mul", [B, c.int64List(2)]));
    const none = c.op("Sub", [ends, ends]);
    const starts = sliced(c, c.op("Concat", [rest, none], { axis: 0 }), 0, c.int64List(0), B);
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

/** True where a key is not after its query: queries are the last of the keys. `[T, S]` */
export function notAfter(c: NodeComposer, query: string, keys: string): string {
  const [T, S] = [lengthOf(c, query, 2), lengthOf(c, keys, 2)];
  const rows = c.op("Add", [c.op("Reshape", [range(c, T), c.int64List(-1, 1)]), c.op("Sub", [S, T])]);
  return c.op("LessOrEqual", [range(c, S), rows]);
}
