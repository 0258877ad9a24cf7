import { attend } from "./attend.js";
import { keyPaddingBias, notAfter } from "./key-padding.js";
import { inFloat32, joinHeads, lengthOf, named, sliced, splitHeads } from "./node-composer.js";
import {
  byName,
  floatOf,
  floats,
  integerOf,
  scaleOf,
  unknownPart,
  type DecomposeNode,
} from "./decomposition.js";

const known = { attributes: ["num_heads", "mask_filter_value", "scale", "unidirectional"], inputs: 8 };

/**
 * Microsoft's `MultiHeadAttention`: queries `[B, T, C]` with keys and values `[B, S, C]`, or `[B, H, S, D]` of a past, or
 * packed: `[B, S, H, 2, D]` beside queries, or all three, `[B, T, H, 3, D]`.
 */
export const decomposeMultiHeadAttention: DecomposeNode = (node, graph, c) => {
  const refusal = unknownPart(node, known);
  if (refusal !== undefined) return refusal;
  const inputs = byName(node.inputs, [
    ...["query", "key", "value", "bias", "mask", "added", "pastKey", "pastValue"],
  ] as const);
  const outputs = byName(node.outputs, ["output", "presentKey", "presentValue", "scores"]);
  const { query, key, value, bias, mask, added, pastKey, pastValue } = inputs;
  const H = integerOf(node, "num_heads");
  if (!query || !H) return "it lacks queries or a number of heads";
  if (outputs.scores) return "it also gives scores";
  const type = graph.elementType(query);
  if (type === undefined || !floats.includes(type))
    return "the type of its numbers is not known, or no float";

  const axesOf = (x: string | undefined) => (x === undefined ? undefined : graph.shape(x)?.length);
  /** Queries, keys or values `[B, heads, length, D]` of those that are packed, `[B, length, H, 2 or 3, D]`. */
  const unpacked = (x: string, place: number) =>
    c.op("Transpose", [c.op("Gather", [x, c.int64(place)], { axis: 3 })], { perm: [0, 2, 1, 3] });
  const keyAxes = axesOf(key);
  if (key && keyAxes === undefined) return "the axes of its keys are not known";
  if (key && !value && keyAxes !== 5) return "it has keys without values";
  const C = bias && key ? lengthOf(c, query, 2) : undefined;
  const C2 = C && c.op("Add", [C, C]);
  const end = () => c.int64List(Number.MAX_SAFE_INTEGER);
  const headed = (x: string, part: 0 | 1 | 2) => {
    if (!bias) return splitHeads(c, x, H);
    const [start, stop] = [c.int64List(0), C!, C2!, end()].slice(part, part + 2) as [string, string];
    return splitHeads(c, c.op("Add", [x, sliced(c, bias, 0, start, stop)]), H);
  };
  if (bias && (!key || keyAxes === 5)) return "it adds a bias to packed queries, keys and values";
  const [q, k, v] = !key
    ? ([unpacked(query, 0), unpacked(query, 1), unpacked(query, 2)] as const)
    : keyAxes === 5
      ? ([headed(query, 0), unpacked(key, 0), unpacked(key, 1)] as const)
      : keyAxes === 4
        ? ([headed(query, 0), key, value!] as const)
        : ([headed(query, 0), headed(key, 1), headed(value!, 2)] as const);
  const held = (x: string, past: string | undefined, present: string | undefined) => {
    const all = past ? c.op("Concat", [past, x], { axis: 2 }) : x;
    if (present) named(c, all, present, type);
    return all;
  };
  const keys = held(k, pastKey, outputs.presentKey);
  const values = held(v, pastValue, outputs.presentValue);

  const biases: string[] = [];
  if (added) biases.push(inFloat32(c, added, type));
  if (mask) {
    const filter = floatOf(node, "mask_filter_value") ?? -10000;
    const padding = keyPaddingBias(c, { mask, graph, keys, filter });
    if ("reason" in padding) return padding.reason;
    biases.push(padding.bias);
  }
  const { weights, output } = attend(c, {
    ...{ query: q, key: keys, value: values, elementType: type, heads: { query: H, keyValue: H } },
    ...{ scale: scaleOf(node), biases },
    masks: integerOf(node, "unidirectional") ? [notAfter(c, q, keys, k)] : [],
  });
  if (outputs.output) named(c, joinHeads(c, output), outputs.output, type);
  const shape = graph.shape(query);
  return { weights, shape: [shape?.[0], H, shape?.[1], undefined] };
};
