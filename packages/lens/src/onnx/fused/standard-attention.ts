import { elementTypes } from "../read-messages.js";
import { attend } from "./attend.js";
import {
  toFloat32,
  toInt64,
  joinHeads,
  axisLength,
  castToOutput,
  range,
  splitHeads,
  type NodeComposer,
} from "./node-composer.js";
import {
  namedArguments,
  floatAttribute,
  floatTypes,
  integerAttribute,
  unsupportedReason,
  type DecomposeNode,
} from "./decomposition.js";

const supported = {
  attributes: [
    ...["is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale", "softcap"],
    ...["softmax_precision", "left_window_size", "right_window_size"],
  ],
  inputs: 7,
};

/**
 * ONNX's own `Attention`, opset 23 to 25. Query `i` is at position `offset + i`, where `offset` is the length of the past;
 * without a past it is `nonpad_kv_seqlen - T` of the sequence, or 0.
 */
export const decomposeStandardAttention: DecomposeNode = (node, graph, c) => {
  const refusal = unsupportedReason(node, supported);
  if (refusal !== undefined) return refusal;
  const { query, key, value, mask, pastKey, pastValue, keyLengths } = namedArguments(node.inputs, [
    ...["query", "key", "value", "mask", "pastKey", "pastValue", "keyLengths"],
  ] as const);
  const outputs = namedArguments(node.outputs, ["output", "presentKey", "presentValue", "scores"]);
  if (!query || !key || !value) return "it lacks queries, keys or values";
  if (outputs.scores) return "it also gives scores under qk_matmul_output";
  const elementType = graph.elementType(query);
  if (elementType === undefined || !floatTypes.includes(elementType))
    return "the type of its numbers is not known, or no float";
  const heads = {
    query: integerAttribute(node, "q_num_heads"),
    keyValue: integerAttribute(node, "kv_num_heads"),
  };
  const rank = graph.shape(query)?.length ?? (heads.query ? 3 : 4);
  if (rank === 3 && (!heads.query || !heads.keyValue)) return "it does not say how many heads there are";
  const split = (x: string, count: number | undefined) => (rank === 3 ? splitHeads(c, x, count!) : x);

  const queryHeads = split(query, heads.query);
  const [keys, values] = (
    [
      [key, pastKey, outputs.presentKey],
      [value, pastValue, outputs.presentValue],
    ] as const
  ).map(([x, past, present]) => {
    const newRows = split(x, heads.keyValue);
    const withPast = past ? c.op("Concat", [past, newRows], { axis: 2 }) : newRows;
    if (present) castToOutput(c, withPast, present, elementType);
    return withPast;
  }) as [string, string];

  const [masks, biases]: [string[], string[]] = [[], []];
  const [T, S] = [axisLength(c, queryHeads, 2), axisLength(c, keys, 2)];
  const [left, right] = ["left_window_size", "right_window_size"].map(
    (name) => integerAttribute(node, name) ?? -1,
  );
  if (integerAttribute(node, "is_causal") || left! >= 0 || right! >= 0) {
    const offset = pastKey
      ? axisLength(c, pastKey, 2)
      : keyLengths
        ? c.op("Sub", [toInt64(c, c.op("Reshape", [keyLengths, c.int64List(-1, 1, 1, 1)])), T])
        : c.int64(0);
    const rows = c.op("Reshape", [range(c, T), c.int64List(1, 1, -1, 1)]);
    const distance = c.op("Sub", [c.op("Add", [rows, offset]), range(c, S)]); // query position minus key position
    if (integerAttribute(node, "is_causal")) masks.push(c.op("GreaterOrEqual", [distance, c.int64(0)]));
    if (left! >= 0) masks.push(c.op("LessOrEqual", [distance, c.int64(left!)]));
    if (right! >= 0) masks.push(c.op("GreaterOrEqual", [distance, c.int64(-right!)]));
  }
  if (keyLengths)
    masks.push(
      c.op("Less", [range(c, S), toInt64(c, c.op("Reshape", [keyLengths, c.int64List(-1, 1, 1, 1)]))]),
    );
  if (mask) {
    const axes = graph.shape(mask)?.length;
    const maskType = graph.elementType(mask);
    if (axes === undefined || maskType === undefined) return "the shape or type of its mask is not known";
    if (maskType === elementTypes.bool) {
      // Padded as floats: not all engines pad bools.
      const numbers = padMask(c, c.op("Cast", [mask], { to: elementTypes.float32 }), axes, S, 0);
      masks.push(c.op("Cast", [numbers], { to: elementTypes.bool }));
    } else {
      const additiveMask = padMask(c, toFloat32(c, mask, maskType), axes, S, -Infinity);
      const sees = c.op("Not", [c.op("IsInf", [additiveMask], { detect_positive: 0 })]);
      masks.push(sees);
      biases.push(c.op("Where", [sees, additiveMask, c.float32(0)]));
    }
  }
  const headCounts =
    heads.query && heads.keyValue ? { query: heads.query, keyValue: heads.keyValue } : undefined;
  const { weights, output } = attend(c, {
    ...{ query: queryHeads, key: keys, value: values, elementType, heads: headCounts },
    ...{ scale: floatAttribute(node, "scale"), softcap: floatAttribute(node, "softcap"), biases, masks },
  });
  if (outputs.output)
    castToOutput(c, rank === 3 ? joinHeads(c, output) : output, outputs.output, elementType);
  const from = graph.shape(query);
  const H = heads.query || (rank === 4 ? from?.[1] : undefined);
  return { weights, shape: [from?.[0], H, from?.[rank === 3 ? 1 : 2], undefined] };
};

/** Pads a mask that is shorter than the keys on the right. `S`: a 1-D tensor of one element. */
function padMask(c: NodeComposer, mask: string, axes: number, S: string, value: number): string {
  const missing = c.op("Sub", [S, axisLength(c, mask, axes - 1)]);
  const pads = c.op("Concat", [c.int64List(...Array<number>(2 * axes - 1).fill(0)), missing], { axis: 0 });
  return c.op("Pad", [mask, pads, c.float32(value)]);
}
