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

const known = {
  attributes: ["num_heads", "unidirectional", "qkv_hidden_sizes", "scale", "mask_filter_value"],
  inputs: 6,
};

/**
 * Microsoft's `Attention`, which also projects `[B, T, C]` by one matrix `[C, Q + K + V]`. Its past is one tensor of keys and
 * values, `[2, B, H, P, D]`.
 */
export const decomposePackedAttention: DecomposeNode = (node, graph, c) => {
  // Some exporters write these with their default, 0, at which they have no effect.
  const defaults = ["do_rotary", "past_present_share_buffer", "rotary_embedding_dim"];
  const active = defaults.find((name) => integerOf(node, name));
  if (active !== undefined) return `it has ${active}`;
  const used = [...node.attributes].filter(([name]) => !defaults.includes(name));
  const refusal = unknownPart({ ...node, attributes: new Map(used) }, known);
  if (refusal !== undefined) return refusal;
  const { input, matrix, bias, mask, past, added } = byName(node.inputs, [
    ...["input", "matrix", "bias", "mask", "past", "added"],
  ] as const);
  const outputs = byName(node.outputs, ["output", "present"]);
  const H = integerOf(node, "num_heads");
  if (!input || !matrix || !H) return "it lacks its input, its weights or a number of heads";
  const type = graph.elementType(input);
  if (type === undefined || !floats.includes(type))
    return "the type of its numbers is not known, or no float";

  const product = c.op("MatMul", [input, matrix]);
  const rows = bias ? c.op("Add", [product, bias]) : product;
  const sizes = node.attributes.get("qkv_hidden_sizes")?.integers;
  const end = c.int64List(Number.MAX_SAFE_INTEGER);
  const third = () => c.op("Div", [lengthOf(c, matrix, 1), c.int64List(3)]);
  const first = sizes ? c.int64List(sizes[0]!) : third();
  const second = sizes ? c.int64List(sizes[0]! + sizes[1]!) : c.op("Add", [first, first]);
  const part = (start: string, stop: string) => splitHeads(c, sliced(c, rows, 2, start, stop), H);
  const query = part(c.int64List(0), first);
  const own = [part(first, second), part(second, end)];
  const all = own.map((x, i) =>
    past ? c.op("Concat", [c.op("Gather", [past, c.int64(i)], { axis: 0 }), x], { axis: 2 }) : x,
  ) as [string, string];
  if (outputs.present) {
    const stacked = all.map((x) =>
      c.op("Reshape", [x, c.op("Concat", [c.int64List(1), c.op("Shape", [x])], { axis: 0 })]),
    );
    named(c, c.op("Concat", stacked, { axis: 0 }), outputs.present, type);
  }
  const [key, value] = all;
  const biases: string[] = [];
  if (added) biases.push(inFloat32(c, added, type));
  if (mask) {
    const filter = floatOf(node, "mask_filter_value") ?? -10000;
    const padding = keyPaddingBias(c, { mask, graph, keys: key, filter });
    if ("reason" in padding) return padding.reason;
    biases.push(padding.bias);
  }
  const { weights, output } = attend(c, {
    ...{ query, key, value, elementType: type, heads: { query: H, keyValue: H } },
    ...{ scale: scaleOf(node), biases },
    masks: integerOf(node, "unidirectional") ? [notAfter(c, query, key, own[0]!)] : [],
  });
  if (outputs.output) named(c, joinHeads(c, output), outputs.output, type);
  const shape = graph.shape(input);
  return { weights, shape: [shape?.[0], H, shape?.[1], undefined] };
};
