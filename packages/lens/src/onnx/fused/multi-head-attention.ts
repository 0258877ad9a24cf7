import { attend } from "./attend.js";
import { keyPaddingBias, causalMask } from "./key-padding.js";
import { toFloat32, joinHeads, axisLength, castToOutput, slice, splitHeads } from "./node-composer.js";
import {
  namedArguments,
  floatAttribute,
  floatTypes,
  integerAttribute,
  scaleAttribute,
  unsupportedReason,
  type DecomposeNode,
} from "./decomposition.js";

const supported = { attributes: ["num_heads", "mask_filter_value", "scale", "unidirectional"], inputs: 8 };

/**
 * Microsoft's `MultiHeadAttention`: queries `[B, T, C]` with keys and values `[B, S, C]`, or `[B, H, S, D]` of cross-attention,
 * or packed: keys and values `[B, S, H, 2, D]`, or all three `[B, T, H, 3, D]`.
 */
export const decomposeMultiHeadAttention: DecomposeNode = (node, graph, c) => {
  const refusal = unsupportedReason(node, supported);
  if (refusal !== undefined) return refusal;
  const inputs = namedArguments(node.inputs, [
    ...["query", "key", "value", "bias", "mask", "attentionBias", "pastKey", "pastValue"],
  ] as const);
  const outputs = namedArguments(node.outputs, ["output", "presentKey", "presentValue", "scores"]);
  const { query, key, value, bias, mask, attentionBias, pastKey, pastValue } = inputs;
  const H = integerAttribute(node, "num_heads");
  if (!query || !H) return "it lacks queries or a number of heads";
  if (outputs.scores) return "it also gives scores";
  const elementType = graph.elementType(query);
  if (elementType === undefined || !floatTypes.includes(elementType))
    return "the type of its numbers is not known, or no float";

  const axisCount = (x: string | undefined) => (x === undefined ? undefined : graph.shape(x)?.length);
  /** Queries, keys or values `[B, H, length, D]` from a packed tensor `[B, length, H, 2 or 3, D]`. */
  const unpacked = (x: string, place: number) =>
    c.op("Transpose", [c.op("Gather", [x, c.int64(place)], { axis: 3 })], { perm: [0, 2, 1, 3] });
  const keyAxes = axisCount(key);
  if (key && keyAxes === undefined) return "the axes of its keys are not known";
  if (key && !value && keyAxes !== 5) return "it has keys without values";
  const C = bias && key ? axisLength(c, query, 2) : undefined;
  const C2 = C && c.op("Add", [C, C]);
  const end = () => c.int64List(Number.MAX_SAFE_INTEGER);
  const splitWithBias = (x: string, part: 0 | 1 | 2) => {
    if (!bias) return splitHeads(c, x, H);
    const [start, stop] = [c.int64List(0), C!, C2!, end()].slice(part, part + 2) as [string, string];
    return splitHeads(c, c.op("Add", [x, slice(c, bias, 0, start, stop)]), H);
  };
  if (bias && (!key || keyAxes === 5)) return "it adds a bias to packed queries, keys and values";
  const splitInputs = (): readonly [string, string, string] => {
    if (!key) return [unpacked(query, 0), unpacked(query, 1), unpacked(query, 2)];
    if (keyAxes === 5) return [splitWithBias(query, 0), unpacked(key, 0), unpacked(key, 1)];
    if (keyAxes === 4) return [splitWithBias(query, 0), key, value!];
    return [splitWithBias(query, 0), splitWithBias(key, 1), splitWithBias(value!, 2)];
  };
  const [q, k, v] = splitInputs();
  const appendToPast = (x: string, past: string | undefined, present: string | undefined) => {
    const withPast = past ? c.op("Concat", [past, x], { axis: 2 }) : x;
    if (present) castToOutput(c, withPast, present, elementType);
    return withPast;
  };
  const keys = appendToPast(k, pastKey, outputs.presentKey);
  const values = appendToPast(v, pastValue, outputs.presentValue);

  const biases: string[] = [];
  if (attentionBias) biases.push(toFloat32(c, attentionBias, elementType));
  if (mask) {
    const filter = floatAttribute(node, "mask_filter_value") ?? -10000;
    const padding = keyPaddingBias(c, { mask, graph, keys, filter });
    if ("reason" in padding) return padding.reason;
    biases.push(padding.bias);
  }
  const { weights, output } = attend(c, {
    ...{ query: q, key: keys, value: values, elementType, heads: { query: H, keyValue: H } },
    ...{ scale: scaleAttribute(node), biases },
    masks: integerAttribute(node, "unidirectional") ? [causalMask(c, q, keys, k)] : [],
  });
  if (outputs.output) castToOutput(c, joinHeads(c, output), outputs.output, elementType);
  const shape = graph.shape(query);
  return { weights, shape: [shape?.[0], H, shape?.[1], undefined] };
};
