import type { OnnxNode } from "../read-messages.js";
import { attend } from "./attend.js";
import {
  inFloat32,
  inInt64,
  joinHeads,
  lengthOf,
  named,
  range,
  shapeOf,
  sliced,
  splitHeads,
  type NodeComposer,
} from "./node-composer.js";
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
  attributes: [
    ...["num_heads", "kv_num_heads", "scale", "softcap", "local_window_size", "do_rotary"],
    ...["rotary_interleaved", "smooth_softmax", "qk_output"],
  ],
  inputs: 12,
};

/** Attributes of quantized caches, at the values that say there is none. */
const idle: Readonly<Record<string, number | string>> = {
  ...{ kv_cache_bit_width: 0, k_quant_type: "NONE", v_quant_type: "NONE" },
};

/**
 * Microsoft's `GroupQueryAttention`: causal, with queries, keys and values side by side or packed in one, rotary
 * embeddings inside, a past that may be longer than what is in it, and sequences of their own lengths in a batch.
 */
export const decomposeGroupQueryAttention: DecomposeNode = (node, graph, c) => {
  const kept = [...node.attributes].filter(
    ([name, { integer, text }]) => idle[name] === undefined || idle[name] !== (integer ?? text),
  );
  const refusal = unknownPart({ ...node, attributes: new Map(kept) }, known);
  if (refusal !== undefined) return refusal;
  const inputs = byName(node.inputs, [
    ...["query", "key", "value", "pastKey", "pastValue", "lastPlaces", "total"],
    ...["cos", "sin", "positions", "added", "sinks"],
  ] as const);
  const outputs = byName(node.outputs, ["output", "presentKey", "presentValue", "scores"]);
  const { query, key, value, pastKey, pastValue, lastPlaces, total, positions, added } = inputs;
  const [H, Hkv] = [integerOf(node, "num_heads"), integerOf(node, "kv_num_heads")];
  if (!query || !lastPlaces || !total || !H || !Hkv) return "it lacks queries, lengths or a number of heads";
  if (outputs.scores) return "it also gives scores";
  const type = graph.elementType(query);
  if (type === undefined || !floats.includes(type))
    return "the type of its numbers is not known, or no float";
  const rotates = Boolean(integerOf(node, "do_rotary"));
  if (rotates && (!inputs.cos || !inputs.sin)) return "it rotates without tables of cosines and sines";

  const [unrotatedQuery, unrotatedKey, v] = headed(c, { query, key, value }, H, Hkv);
  let [q, k] = [unrotatedQuery, unrotatedKey];
  const T = lengthOf(c, q, 2);

  const column = (x: string, ...shape: number[]) => c.op("Reshape", [x, c.int64List(...shape)]);
  const lengths = c.op("Add", [inInt64(c, column(lastPlaces, -1, 1, 1, 1)), c.int64(1)]); // [B, 1, 1, 1]
  const past = c.op("Max", [c.op("Sub", [lengths, T]), c.int64(0)]); // tokens before these, [B, 1, 1, 1]
  const rows = c.op("Add", [past, column(range(c, T), 1, 1, -1, 1)]); // places of queries, [B, 1, T, 1]
  if (rotates) {
    const places = column(positions ? inInt64(c, positions) : rows, 0, 1, -1);
    const tables = [inputs.cos!, inputs.sin!].map((table) =>
      c.op("Gather", [table, places], { axis: 0 }),
    ) as [string, string]; // [B, 1, T, D / 2]
    const interleaved = Boolean(integerOf(node, "rotary_interleaved"));
    [q, k] = [rotated(c, q, tables, interleaved), rotated(c, k, tables, interleaved)];
  }
  const bufferLength = pastKey ? lengthOf(c, pastKey, 2) : c.int64List(0);
  const S = c.op("Max", [inInt64(c, column(total, 1)), bufferLength]);
  const held = { past, pastLength: bufferLength, S, T, type };
  const keys = pastKey ? appended(c, pastKey, k, held) : k;
  const values = pastValue ? appended(c, pastValue, v, held) : v;
  if (outputs.presentKey) named(c, keys, outputs.presentKey, type);
  if (outputs.presentValue) named(c, values, outputs.presentValue, type);

  // Rows of padding after a shorter sequence stand at its end.
  const last = c.op("Min", [rows, c.op("Sub", [lengths, c.int64(1)])]);
  const places = range(c, S);
  const masks = [c.op("LessOrEqual", [places, last])];
  const window = integerOf(node, "local_window_size") ?? -1;
  if (window >= 0) masks.push(c.op("Greater", [places, c.op("Sub", [last, c.int64(window)])]));
  const biases = added ? [paddedBias(c, inFloat32(c, added, type), S)] : [];
  const { weights, output } = attend(c, {
    ...{ query: q, key: keys, value: values, elementType: type, heads: { query: H, keyValue: Hkv } },
    ...{ scale: scaleOf(node), softcap: floatOf(node, "softcap"), biases, masks },
    sinks: sinksOf(c, node, inputs.sinks && inFloat32(c, inputs.sinks, type)),
  });
  if (outputs.output) named(c, joinHeads(c, output), outputs.output, type);
  const shape = graph.shape(query);
  return { weights, shape: [shape?.[0], H, shape?.[1], undefined] };
};

/** Queries, keys and values by head. In one, queries are first on the axis of heads, then keys, then values. */
function headed(
  c: NodeComposer,
  { query, key, value }: { query: string; key: string | undefined; value: string | undefined },
  H: number,
  Hkv: number,
): [string, string, string] {
  if (key && value) return [splitHeads(c, query, H), splitHeads(c, key, Hkv), splitHeads(c, value, Hkv)];
  const all = splitHeads(c, query, H + 2 * Hkv);
  const heads = (start: number, end: number) => sliced(c, all, 1, c.int64List(start), c.int64List(end));
  return [heads(0, H), heads(H, H + Hkv), heads(H + Hkv, H + 2 * Hkv)];
}

/** Logits that join the sum of the softmax, `[1, H, 1, 1]`: learned ones, or 0. */
function sinksOf(c: NodeComposer, node: OnnxNode, sinks: string | undefined): string | undefined {
  if (sinks) return c.op("Reshape", [sinks, c.int64List(1, -1, 1, 1)]);
  if (integerOf(node, "smooth_softmax") !== 1) return undefined;
  return c.op("Reshape", [c.float32(0), c.int64List(1, 1, 1, 1)]);
}

/** A bias of scores `[.., T, total]`, with zeros for places of the past that nothing is in yet. */
function paddedBias(c: NodeComposer, bias: string, S: string): string {
  const missing = c.op("Sub", [S, lengthOf(c, bias, 3)]);
  const pads = c.op("Concat", [c.int64List(0, 0, 0, 0, 0, 0, 0), missing], { axis: 0 });
  return c.op("Pad", [bias, pads, c.float32(0)]);
}

type Held = {
  /** Tokens before these, `[B, 1, 1, 1]`. */
  past: string;
  /** Places of the past's tensor. */
  pastLength: string;
  /** Places after the call. */
  S: string;
  T: string;
  /** Element type of the rows. */
  type: number;
};

/**
 * Keys or values of these tokens after those that are in the past: each sequence of a batch has its own length there, and
 * the rest of its places are 0.
 */
function appended(
  c: NodeComposer,
  pastRows: string,
  rows: string,
  { past, pastLength, S, T, type }: Held,
): string {
  const places = c.op("Reshape", [range(c, S), c.int64List(1, 1, -1, 1)]);
  const after = c.op("Sub", [places, past]); // [B, 1, S, 1]
  const inRange = c.op("Min", [c.op("Max", [after, c.int64(0)]), c.op("Sub", [T, c.int64(1)])]);
  const isPast = c.op("Less", [after, c.int64(0)]);
  const from = c.op("Where", [isPast, places, c.op("Add", [inRange, pastLength])]);
  const shape = shapeOf(c, lengthOf(c, rows, 0), lengthOf(c, rows, 1), S, lengthOf(c, rows, 3));
  const both = c.op("Concat", [pastRows, rows], { axis: 2 });
  const read = c.op("GatherElements", [both, c.op("Expand", [from, shape])], { axis: 2 });
  const isFilled = c.op("Less", [after, T]);
  return c.op("Mul", [read, c.op("Cast", [isFilled], { to: type })]);
}

/** Rotates queries or keys `[B, H, T, D]` by tables `[B, 1, T, R / 2]`: their first R numbers, halves or neighbours. */
function rotated(
  c: NodeComposer,
  x: string,
  [cos, sin]: readonly [string, string],
  interleaved: boolean,
): string {
  const half = lengthOf(c, cos, 3);
  const width = c.op("Add", [half, half]);
  const end = c.int64List(Number.MAX_SAFE_INTEGER);
  const head = sliced(c, x, 3, c.int64List(0), width);
  const rest = sliced(c, x, 3, width, end);
  const pairs = interleaved ? c.op("Reshape", [head, c.int64List(0, 0, 0, -1, 2)]) : undefined;
  const flat = (side: number) => {
    if (!pairs) return sliced(c, head, 3, side ? half : c.int64List(0), side ? width : half);
    return c.op("Gather", [pairs, c.int64(side)], { axis: 4 });
  };
  const [a, b] = [flat(0), flat(1)];
  const mul = (x: string, y: string) => c.op("Mul", [x, y]);
  const sides = [c.op("Sub", [mul(a, cos), mul(b, sin)]), c.op("Add", [mul(b, cos), mul(a, sin)])];
  if (!pairs) return c.op("Concat", [...sides, rest], { axis: 3 });
  const columns = sides.map((side) =>
    c.op("Reshape", [side, c.op("Concat", [c.op("Shape", [side]), c.int64List(1)], { axis: 0 })]),
  );
  const joined = c.op("Reshape", [c.op("Concat", columns, { axis: 4 }), c.int64List(0, 0, 0, -1)]);
  return c.op("Concat", [joined, rest], { axis: 3 });
}
