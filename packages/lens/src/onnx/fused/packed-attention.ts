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

const supported = {
  attributes: ["num_heads", "unidirectional", "qkv_hidden_sizes", "scale", "mask_filter_value"],
  inputs: 6,
};

/**
 * Microsoft's `Attention`, which also projects its input `[B, T, C]` by one matrix `[C, Q + K + V]`. Its past is one tensor of
 * keys and values, `[2, B, H, P, D]`.
 */
export const decomposePackedAttention: DecomposeNode = (node, graph, c) => {
  // Some exporters write these attributes with their default 0, which has no effect.
  const defaults = ["do_rotary", "past_present_share_buffer", "rotary_embedding_dim"];
  const active = defaults.find((name) => integerAttribute(node, name));
  if (active !== undefined) return `it has ${active}`;
  const otherAttributes = [...node.attributes].filter(([name]) => !defaults.includes(name));
  const refusal = unsupportedReason({ ...node, attributes: new Map(otherAttributes) }, supported);
  if (refusal !== undefined) return refusal;
  const { input, matrix, bias, mask, past, attentionBias } = namedArguments(node.inputs, [
    ...["input", "matrix", "bias", "mask", "past", "attentionBias"],
  ] as const);
  const outputs = namedArguments(node.outputs, ["output", "present"]);
  const H = integerAttribute(node, "num_heads");
  if (!input || !matrix || !H) return "it lacks its input, its weights or a number of heads";
  const elementType = graph.elementType(input);
  if (elementType === undefined || !floatTypes.includes(elementType))
    return "the type of its numbers is not known, or no float";

  const product = c.op("MatMul", [input, matrix]);
  const rows = bias ? c.op("Add", [product, bias]) : product;
  const sizes = node.attributes.get("qkv_hidden_sizes")?.integers;
  const end = c.int64List(Number.MAX_SAFE_INTEGER);
  const thirdOfWidth = () => c.op("Div", [axisLength(c, matrix, 1), c.int64List(3)]);
  const first = sizes ? c.int64List(sizes[0]!) : thirdOfWidth();
  const second = sizes ? c.int64List(sizes[0]! + sizes[1]!) : c.op("Add", [first, first]);
  const part = (start: string, stop: string) => splitHeads(c, slice(c, rows, 2, start, stop), H);
  const query = part(c.int64List(0), first);
  const newKeysAndValues = [part(first, second), part(second, end)];
  const withPast = newKeysAndValues.map((x, i) =>
    past ? c.op("Concat", [c.op("Gather", [past, c.int64(i)], { axis: 0 }), x], { axis: 2 }) : x,
  ) as [string, string];
  if (outputs.present) {
    const stacked = withPast.map((x) =>
      c.op("Reshape", [x, c.op("Concat", [c.int64List(1), c.op("Shape", [x])], { axis: 0 })]),
    );
    castToOutput(c, c.op("Concat", stacked, { axis: 0 }), outputs.present, elementType);
  }
  const [key, value] = withPast;
  const biases: string[] = [];
  if (attentionBias) biases.push(toFloat32(c, attentionBias, elementType));
  if (mask) {
    const filter = floatAttribute(node, "mask_filter_value") ?? -10000;
    const padding = keyPaddingBias(c, { mask, graph, keys: key, filter });
    if ("reason" in padding) return padding.reason;
    biases.push(padding.bias);
  }
  const { weights, output } = attend(c, {
    ...{ query, key, value, elementType, heads: { query: H, keyValue: H } },
    ...{ scale: scaleAttribute(node), biases },
    masks: integerAttribute(node, "unidirectional") ? [causalMask(c, query, key, newKeysAndValues[0]!)] : [],
  });
  if (outputs.output) castToOutput(c, joinHeads(c, output), outputs.output, elementType);
  const shape = graph.shape(input);
  return { weights, shape: [shape?.[0], H, shape?.[1], undefined] };
};
