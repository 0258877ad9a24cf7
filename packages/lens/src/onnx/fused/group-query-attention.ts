import type { OnnxNode } from "../read-messages.js";
import { attend } from "./attend.js";
import {
  toFloat32,
  toInt64,
  joinHeads,
  axisLength,
  castToOutput,
  range,
  concatShape,
  slice,
  splitHeads,
  type NodeComposer,
} from "./node-composer.js";
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
  attributes: [
    ...["num_heads", "kv_num_heads", "scale", "softcap", "local_window_size", "do_rotary"],
    ...["rotary_interleaved", "smooth_softmax", "qk_output"],
  ],
  inputs: 12,
};

/** Attributes of quantized caches, with the values for a cache that is not quantized. */
const unquantizedDefaults: Readonly<Record<string, number | string>> = {
  ...{ kv_cache_bit_width: 0, k_quant_type: "NONE", v_quant_type: "NONE" },
};

/**
 * Microsoft's `GroupQueryAttention`: causal attention with separate or packed queries, keys and values, rotary
 * embeddings, a past buffer that may be longer than the past, and sequences of different lengths in a batch.
 */
export const decomposeGroupQueryAttention: DecomposeNode = (node, graph, c) => {
  const otherAttributes = [...node.attributes].filter(
    ([name, { integer, text }]) =>
      unquantizedDefaults[name] === undefined || unquantizedDefaults[name] !== (integer ?? text),
  );
  const refusal = unsupportedReason({ ...node, attributes: new Map(otherAttributes) }, supported);
  if (refusal !== undefined) return refusal;
  const inputs = namedArguments(node.inputs, [
    ...["query", "key", "value", "pastKey", "pastValue", "seqlensK", "totalLength"],
    ...["cos", "sin", "positions", "attentionBias", "sinks"],
  ] as const);
  const outputs = namedArguments(node.outputs, ["output", "presentKey", "presentValue", "scores"]);
  const { query, key, value, pastKey, pastValue, seqlensK, totalLength, positions, attentionBias } = inputs;
  const [H, Hkv] = [integerAttribute(node, "num_heads"), integerAttribute(node, "kv_num_heads")];
  if (!query || !seqlensK || !totalLength || !H || !Hkv)
    return "it lacks queries, lengths or a number of heads";
  if (outputs.scores) return "it also gives scores";
  const elementType = graph.elementType(query);
  if (elementType === undefined || !floatTypes.includes(elementType))
    return "the type of its numbers is not known, or no float";
  const rotates = Boolean(integerAttribute(node, "do_rotary"));
  if (rotates && (!inputs.cos || !inputs.sin)) return "it rotates without tables of cosines and sines";

  const [unrotatedQuery, unrotatedKey, v] = splitQueryKeyValue(c, { query, key, value }, H, Hkv);
  let [q, k] = [unrotatedQuery, unrotatedKey];
  const T = axisLength(c, q, 2);

  const column = (x: string, ...shape: number[]) => c.op("Reshape", [x, c.int64List(...shape)]);
  const lengths = c.op("Add", [toInt64(c, column(seqlensK, -1, 1, 1, 1)), c.int64(1)]); // [B, 1, 1, 1]
  const past = c.op("Max", [c.op("Sub", [lengths, T]), c.int64(0)]); // past tokens, [B, 1, 1, 1]
  const steps = range(c, T);
  const rows = c.op("Add", [past, column(steps, 1, 1, -1, 1)]); // positions of queries, [B, 1, T, 1]
  const total = toInt64(c, column(totalLength, 1));
  /** Of a prompt, ONNX Runtime reads the first position alone, and counts up from it in all sequences. */
  const rotaryPositions = (given: string) => {
    const first = slice(c, column(given, -1), 0, c.int64List(0), c.int64List(1));
    return c.op("Where", [c.op("Equal", [total, T]), c.op("Add", [first, steps]), given]); // [B, T]
  };
  if (rotates) {
    const keyPositions = column(positions ? rotaryPositions(toInt64(c, positions)) : rows, 0, 1, -1);
    const tables = [inputs.cos!, inputs.sin!].map((table) =>
      c.op("Gather", [table, keyPositions], { axis: 0 }),
    ) as [string, string]; // [B, 1, T, D / 2]
    const interleaved = Boolean(integerAttribute(node, "rotary_interleaved"));
    [q, k] = [rotate(c, q, tables, interleaved), rotate(c, k, tables, interleaved)];
  }
  const bufferLength = pastKey ? axisLength(c, pastKey, 2) : c.int64List(0);
  const S = c.op("Max", [total, bufferLength]);
  const cache = { past, pastLength: bufferLength, S, T, elementType };
  const keys = pastKey ? appendToPast(c, pastKey, k, cache) : k;
  const values = pastValue ? appendToPast(c, pastValue, v, cache) : v;
  if (outputs.presentKey) castToOutput(c, keys, outputs.presentKey, elementType);
  if (outputs.presentValue) castToOutput(c, values, outputs.presentValue, elementType);

  // Padding after a shorter sequence gets the mask of the sequence's last token.
  const last = c.op("Min", [rows, c.op("Sub", [lengths, c.int64(1)])]);
  const keyPositions = range(c, S);
  const masks = [c.op("LessOrEqual", [keyPositions, last])];
  const window = integerAttribute(node, "local_window_size") ?? -1;
  if (window >= 0) masks.push(c.op("Greater", [keyPositions, c.op("Sub", [last, c.int64(window)])]));
  const biases = attentionBias ? [paddedBias(c, toFloat32(c, attentionBias, elementType), S)] : [];
  const { weights, output } = attend(c, {
    ...{ query: q, key: keys, value: values, elementType, heads: { query: H, keyValue: Hkv } },
    ...{ scale: scaleAttribute(node), softcap: floatAttribute(node, "softcap"), biases, masks },
    sinks: sinkLogits(c, node, inputs.sinks && toFloat32(c, inputs.sinks, elementType)),
  });
  if (outputs.output) castToOutput(c, joinHeads(c, output), outputs.output, elementType);
  const shape = graph.shape(query);
  return { weights, shape: [shape?.[0], H, shape?.[1], undefined] };
};

/** Splits queries, keys and values into heads. Packed in one tensor, they follow each other on the axis of heads. */
function splitQueryKeyValue(
  c: NodeComposer,
  { query, key, value }: { query: string; key: string | undefined; value: string | undefined },
  H: number,
  Hkv: number,
): [string, string, string] {
  if (key && value) return [splitHeads(c, query, H), splitHeads(c, key, Hkv), splitHeads(c, value, Hkv)];
  const packedHeads = splitHeads(c, query, H + 2 * Hkv);
  const heads = (start: number, end: number) =>
    slice(c, packedHeads, 1, c.int64List(start), c.int64List(end));
  return [heads(0, H), heads(H, H + Hkv), heads(H + Hkv, H + 2 * Hkv)];
}

/** Logits of attention sinks, `[1, H, 1, 1]`: learned, or 0 for `smooth_softmax`. */
function sinkLogits(c: NodeComposer, node: OnnxNode, sinks: string | undefined): string | undefined {
  if (sinks) return c.op("Reshape", [sinks, c.int64List(1, -1, 1, 1)]);
  if (integerAttribute(node, "smooth_softmax") !== 1) return undefined;
  return c.op("Reshape", [c.float32(0), c.int64List(1, 1, 1, 1)]);
}

/** Pads an attention bias `[…, T, totalLength]` with zeros to the S positions of the buffer. */
function paddedBias(c: NodeComposer, bias: string, S: string): string {
  const missing = c.op("Sub", [S, axisLength(c, bias, 3)]);
  const pads = c.op("Concat", [c.int64List(0, 0, 0, 0, 0, 0, 0), missing], { axis: 0 });
  return c.op("Pad", [bias, pads, c.float32(0)]);
}

type CacheParts = {
  /** Number of past tokens, `[B, 1, 1, 1]`. */
  past: string;
  /** Length of the past tensor. */
  pastLength: string;
  /** Length of the present tensor. */
  S: string;
  T: string;
  /** Element type of the rows. */
  elementType: number;
};

/**
 * Appends new keys or values to the past: each sequence of a batch has its own past length, and unused positions are 0.
 */
function appendToPast(
  c: NodeComposer,
  pastRows: string,
  rows: string,
  { past, pastLength, S, T, elementType }: CacheParts,
): string {
  const keyPositions = c.op("Reshape", [range(c, S), c.int64List(1, 1, -1, 1)]);
  const after = c.op("Sub", [keyPositions, past]); // [B, 1, S, 1]
  const inRange = c.op("Min", [c.op("Max", [after, c.int64(0)]), c.op("Sub", [T, c.int64(1)])]);
  const isPast = c.op("Less", [after, c.int64(0)]);
  const from = c.op("Where", [isPast, keyPositions, c.op("Add", [inRange, pastLength])]);
  const shape = concatShape(c, axisLength(c, rows, 0), axisLength(c, rows, 1), S, axisLength(c, rows, 3));
  const both = c.op("Concat", [pastRows, rows], { axis: 2 });
  const gathered = c.op("GatherElements", [both, c.op("Expand", [from, shape])], { axis: 2 });
  const isFilled = c.op("Less", [after, T]);
  return c.op("Mul", [gathered, c.op("Cast", [isFilled], { to: elementType })]);
}

/** Applies a rotary embedding of dimension R to `[B, H, T, D]`, with tables `[B, 1, T, R / 2]` and the half or interleaved layout. */
function rotate(
  c: NodeComposer,
  x: string,
  [cos, sin]: readonly [string, string],
  interleaved: boolean,
): string {
  const half = axisLength(c, cos, 3);
  const width = c.op("Add", [half, half]);
  const end = c.int64List(Number.MAX_SAFE_INTEGER);
  const head = slice(c, x, 3, c.int64List(0), width);
  const rest = slice(c, x, 3, width, end);
  const pairs = interleaved ? c.op("Reshape", [head, c.int64List(0, 0, 0, -1, 2)]) : undefined;
  const pairHalf = (side: number) => {
    if (!pairs) return slice(c, head, 3, side ? half : c.int64List(0), side ? width : half);
    return c.op("Gather", [pairs, c.int64(side)], { axis: 4 });
  };
  const [a, b] = [pairHalf(0), pairHalf(1)];
  const mul = (x: string, y: string) => c.op("Mul", [x, y]);
  const sides = [c.op("Sub", [mul(a, cos), mul(b, sin)]), c.op("Add", [mul(b, cos), mul(a, sin)])];
  if (!pairs) return c.op("Concat", [...sides, rest], { axis: 3 });
  const columns = sides.map((side) =>
    c.op("Reshape", [side, c.op("Concat", [c.op("Shape", [side]), c.int64List(1)], { axis: 0 })]),
  );
  const joined = c.op("Reshape", [c.op("Concat", columns, { axis: 4 }), c.int64List(0, 0, 0, -1)]);
  return c.op("Concat", [joined, rest], { axis: 3 });
}
