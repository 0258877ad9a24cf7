import { elementTypes } from "../read-messages.js";
import { attend } from "./attend.js";
import {
  inFloat32,
  inInt64,
  joinHeads,
  lengthOf,
  named,
  range,
  splitHeads,
  type NodeComposer,
} from "./node-composer.js";
import { byName, floatOf, floats, integerOf, unknownPart, type DecomposeNode } from "./decomposition.js";

const known = {
  attributes: [
    ...["is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale", "softcap"],
    ...["softmax_precision", "left_window_size", "right_window_size"],
  ],
  inputs: 7,
};

/**
 * ONNX's own `Attention`, of versions 23 to 25. Query `i` stands at position `offset + i`, where `offset` is the length of
 * the past, or without one `nonpad_kv_seqlen - T` of its batch, or 0.
 */
export const decomposeStandardAttention: DecomposeNode = (node, graph, c) => {
  const refusal = unknownPart(node, known);
  if (refusal !== undefined) return refusal;
  const { query, key, value, mask, pastKey, pastValue, lengths } = byName(node.inputs, [
    ...["query", "key", "value", "mask", "pastKey", "pastValue", "lengths"],
  ] as const);
  const outputs = byName(node.outputs, ["output", "presentKey", "presentValue", "scores"]);
  if (!query || !key || !value) return "it lacks queries, keys or values";
  if (outputs.scores) return "it also gives scores under qk_matmul_output";
  const type = graph.elementType(query);
  if (type === undefined || !floats.includes(type))
    return "the type of its numbers is not known, or no float";
  const heads = { query: integerOf(node, "q_num_heads"), keyValue: integerOf(node, "kv_num_heads") };
  const rank = graph.shape(query)?.length ?? (heads.query ? 3 : 4);
  if (rank === 3 && (!heads.query || !heads.keyValue)) return "it does not say how many heads there are";
  const split = (x: string, count: number | undefined) => (rank === 3 ? splitHeads(c, x, count!) : x);

  const headed = split(query, heads.query);
  const [keys, values] = (
    [
      [key, pastKey, outputs.presentKey],
      [value, pastValue, outputs.presentValue],
    ] as const
  ).map(([x, past, present]) => {
    const own = split(x, heads.keyValue);
    const all = past ? c.op("Concat", [past, own], { axis: 2 }) : own;
    if (present) named(c, all, present, type);
    return all;
  }) as [string, string];

  const [masks, biases]: [string[], string[]] = [[], []];
  const [T, S] = [lengthOf(c, headed, 2), lengthOf(c, keys, 2)];
  const [left, right] = ["left_window_size", "right_window_size"].map((name) => integerOf(node, name) ?? -1);
  if (integerOf(node, "is_causal") || left! >= 0 || right! >= 0) {
    const offset = pastKey
      ? lengthOf(c, pastKey, 2)
      : lengths
        ? c.op("Sub", [inInt64(c, c.op("Reshape", [lengths, c.int64List(-1, 1, 1, 1)])), T])
        : c.int64(0);
    const rows = c.op("Reshape", [range(c, T), c.int64List(1, 1, -1, 1)]);
    const distance = c.op("Sub", [c.op("Add", [rows, offset]), range(c, S)]); // of a key before its query
    if (integerOf(node, "is_causal")) masks.push(c.op("GreaterOrEqual", [distance, c.int64(0)]));
    if (left! >= 0) masks.push(c.op("LessOrEqual", [distance, c.int64(left!)]));
    if (right! >= 0) masks.push(c.op("GreaterOrEqual", [distance, c.int64(-right!)]));
  }
  if (lengths)
    masks.push(c.op("Less", [range(c, S), inInt64(c, c.op("Reshape", [lengths, c.int64List(-1, 1, 1, 1)]))]));
  if (mask) {
    const axes = graph.shape(mask)?.length;
    const maskType = graph.elementType(mask);
    if (axes === undefined || maskType === undefined) return "the shape or type of its mask is not known";
    if (maskType === elementTypes.bool) {
      // Padding is of numbers: not all engines pad bools.
      const numbers = padded(c, c.op("Cast", [mask], { to: elementTypes.float32 }), axes, S, 0);
      masks.push(c.op("Cast", [numbers], { to: elementTypes.bool }));
    } else {
      const added = padded(c, inFloat32(c, mask, maskType), axes, S, -Infinity);
      const sees = c.op("Not", [c.op("IsInf", [added], { detect_positive: 0 })]);
      masks.push(sees);
      biases.push(c.op("Where", [sees, added, c.float32(0)]));
    }
  }
  const headCounts =
    heads.query && heads.keyValue ? { query: heads.query, keyValue: heads.keyValue } : undefined;
  const { weights, output } = attend(c, {
    ...{ query: headed, key: keys, value: values, elementType: type, heads: headCounts },
    ...{ scale: floatOf(node, "scale"), softcap: floatOf(node, "softcap"), biases, masks },
  });
  if (outputs.output) named(c, rank === 3 ? joinHeads(c, output) : output, outputs.output, type);
  const from = graph.shape(query);
  const H = heads.query || (rank === 4 ? from?.[1] : undefined);
  return { weights, shape: [from?.[0], H, from?.[rank === 3 ? 1 : 2], undefined] };
};

/** A mask that is shorter than the keys, padded on the right. `S`: a list of one length. */
function padded(c: NodeComposer, mask: string, axes: number, S: string, value: number): string {
  const missing = c.op("Sub", [S, lengthOf(c, mask, axes - 1)]);
  const pads = c.op("Concat", [c.int64List(...Array<number>(2 * axes - 1).fill(0)), missing], { axis: 0 });
  return c.op("Pad", [mask, pads, c.float32(value)]);
}
