import { toFloat32, axisLength, range, concatShape, type NodeComposer } from "./node-composer.js";

/** Inputs of softmax attention: names of values of the graph. Everything is computed in float32. */
export type AttendParts = {
  /** `[B, H, T, D]` */
  query: string;
  /** `[B, Hkv, S, D]` */
  key: string;
  /** `[B, Hkv, S, Dv]` */
  value: string;
  /** Element type of query, key and value. */
  elementType: number;
  /** Numbers of heads; undefined if they are known only at run time. */
  heads: { query: number; keyValue: number } | undefined;
  /** Default: 1/√D. */
  scale?: number | undefined;
  softcap?: number | undefined;
  /** Added to scores; each broadcasts to `[B, H, T, S]`. */
  biases?: readonly string[];
  /** True where a query sees a key; each broadcasts to `[B, H, T, S]`. A query that sees none has weights of 0. */
  masks?: readonly string[];
  /** Attention sinks: logits `[1, H, 1, 1]` added to the denominator of the softmax. */
  sinks?: string | undefined;
};

/** The lowest float32, in place of −∞: the softmax of a row that is masked everywhere has no NaN. */
const lowest = -(2 - 2 ** -23) * 2 ** 127;

/** Adds the nodes of attention; returns the names of the weights `[B, H, T, S]` and the output `[B, H, T, Dv]`. */
export function attend(c: NodeComposer, parts: AttendParts): { weights: string; output: string } {
  const { elementType, scale, softcap = 0, biases = [], masks = [], sinks } = parts;
  const query = toFloat32(c, parts.query, elementType);
  const [key, value] = [parts.key, parts.value].map((x) =>
    repeatKvHeads(c, toFloat32(c, x, elementType), query, parts.heads),
  ) as [string, string];
  const dots = c.op("MatMul", [query, c.op("Transpose", [key], { perm: [0, 1, 3, 2] })]);
  let scores = c.op("Mul", [dots, scale === undefined ? defaultScale(c, query) : c.float32(scale)]);
  if (softcap > 0) {
    const capped = c.op("Tanh", [c.op("Div", [scores, c.float32(softcap)])]);
    scores = c.op("Mul", [capped, c.float32(softcap)]);
  }
  for (const bias of biases) scores = c.op("Add", [scores, bias]);
  const intersect = (intersection: string | undefined, mask: string) =>
    intersection === undefined ? mask : c.op("And", [intersection, mask]);
  const sees = masks.reduce<string | undefined>(intersect, undefined);
  if (sees !== undefined) scores = c.op("Where", [sees, scores, c.float32(lowest)]);
  let weights = sinks === undefined ? softmax(c, scores) : softmaxWithSinks(c, scores, sinks);
  if (sees !== undefined) weights = c.op("Where", [sees, weights, c.float32(0)]);
  return { weights, output: c.op("MatMul", [weights, value]) };
}

const softmax = (c: NodeComposer, scores: string) => c.op("Softmax", [scores], { axis: 3 });

/** Repeats keys or values `[B, Hkv, S, D]` for each query head, `[B, H, S, D]`: adjacent query heads share one. */
function repeatKvHeads(c: NodeComposer, x: string, query: string, heads: AttendParts["heads"]): string {
  if (heads) {
    const { query: H, keyValue } = heads;
    if (H === keyValue) return x;
    const keyValueHeads = Array.from({ length: H }, (_, head) => Math.floor(head / (H / keyValue)));
    return c.op("Gather", [x, c.int64List(...keyValueHeads)], { axis: 1 });
  }
  const [H, Hkv] = [axisLength(c, query, 1), axisLength(c, x, 1)];
  return c.op("Gather", [x, c.op("Div", [range(c, H), c.op("Div", [H, Hkv])])], { axis: 1 });
}

/** 1/√D */
function defaultScale(c: NodeComposer, query: string): string {
  const width = c.op("Cast", [axisLength(c, query, 3)], { to: 1 });
  return c.op("Div", [c.float32(1), c.op("Sqrt", [width])]);
}

/** Softmax with attention sinks: a logit for each head is appended to its scores, and its weight is sliced off. */
function softmaxWithSinks(c: NodeComposer, scores: string, sinks: string): string {
  const ofRow = concatShape(c, ...[0, 1, 2].map((axis) => axisLength(c, scores, axis)), 1);
  const column = c.op("Expand", [sinks, ofRow]);
  const weightsWithSinks = softmax(c, c.op("Concat", [column, scores], { axis: 3 }));
  return c.op("Slice", [
    weightsWithSinks,
    c.int64List(1),
    c.int64List(Number.MAX_SAFE_INTEGER),
    c.int64List(3),
  ]);
}
