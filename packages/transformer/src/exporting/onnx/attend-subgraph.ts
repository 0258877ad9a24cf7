import { lowest, type OnnxGraph } from "./onnx-graph.js";

/** Options of softmax attention in a graph. */
export type AttendSubgraphConfig = {
  numHeads: number;
  numKvHeads: number;
  /** D, the dimension of a query and a key. */
  headDim: number;
  /** The dimension of a value. Default: `headDim`. */
  valueDim?: number | undefined;
  scale: number;
  softcap?: number | undefined;
  /** The mask, `[B, 1, T, S]` bool. Default: every query sees every key. */
  mask?: string | undefined;
  /** Added to scores, `[1, H, T, S]`. Default: nothing. */
  bias?: string | undefined;
  /** Attention sinks: logits `[H]` that are added to the softmax denominator. Default: none. */
  sinks?: string | undefined;
  /** Index of the layer in `past_key_values` and `present`. Default: no cache. */
  layer?: number | undefined;
};

/** Queries `[B, T, H · D]`, keys `[B, T, Hkv · D]` and values `[B, T, Hkv · Dv]`. */
export type QueryKeyValue = [query: string, key: string, value: string];

/**
 * Softmax attention to these tokens and to cached ones (input `past_key_values.N`, output `present.N`). Returns the outputs of the heads
 * `[B, T, H · Dv]`.
 */
export function attendSubgraph(g: OnnxGraph, rows: QueryKeyValue, config: AttendSubgraphConfig): string {
  const { numKvHeads: Hkv, headDim, valueDim = headDim, layer } = config;
  const cacheTensors = (
    [
      ["key", headDim],
      ["value", valueDim],
    ] as const
  ).map(([name, D]) =>
    layer === undefined
      ? undefined
      : {
          past: g.input(`past_key_values.${layer}.${name}`, ["batch_size", Hkv, "past_sequence_length", D]),
          present: g.output(`present.${layer}.${name}`, ["batch_size", Hkv, "total_sequence_length", D]),
        },
  ) as [CachedTensor, CachedTensor];
  const isOperator = g.operators === "standard" && config.softcap === undefined && config.sinks === undefined;
  return (isOperator ? operatorAttention : composedAttention)(g, rows, cacheTensors, config);
}

/** Names of the input with cached keys or values, and of the output with those of this call appended. Undefined without a cache. */
type CachedTensor = { past: string; present: string } | undefined;

/** Attention as the operator `Attention` of opset 23. */
function operatorAttention(
  g: OnnxGraph,
  rows: QueryKeyValue,
  [keys, values]: readonly [CachedTensor, CachedTensor],
  { numHeads, numKvHeads, scale, mask, bias }: AttendSubgraphConfig,
): string {
  const attributes = { q_num_heads: numHeads, kv_num_heads: numKvHeads, scale: { float: scale } };
  const hasBoth = bias !== undefined && mask !== undefined;
  const added = hasBoth ? g.op("Where", [mask, bias, g.scalar(lowest)]) : (mask ?? bias);
  if (!keys || !values)
    return g.op("Attention", [...rows, ...(added === undefined ? [] : [added])], attributes);
  const heads = `mixed.${keys.present}`;
  g.ops(
    "Attention",
    [...rows, added ?? "", keys.past, values.past],
    [heads, keys.present, values.present],
    attributes,
  );
  return heads;
}

/**
 * Attention from basic operators. Queries are `[B, Hkv, H / Hkv, T, D]`, with an axis for heads that share keys, so that keys
 * are not repeated.
 */
function composedAttention(
  g: OnnxGraph,
  [query, key, value]: QueryKeyValue,
  cacheTensors: readonly [CachedTensor, CachedTensor],
  config: AttendSubgraphConfig,
): string {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, valueDim = D, scale, softcap, mask, bias } = config;
  const queries = g.op("Transpose", [g.op("Reshape", [query, g.list(0, 0, Hkv, H / Hkv, D)])], {
    perm: [0, 2, 3, 1, 4],
  });
  const [keys, values] = (
    [
      [key, D],
      [value, valueDim],
    ] as const
  ).map(([rows, width], i) => {
    const heads = g.op("Transpose", [g.op("Reshape", [rows, g.list(0, 0, Hkv, width)])], {
      perm: [0, 2, 1, 3],
    });
    const cached = cacheTensors[i];
    const withPast = cached ? g.op("Concat", [cached.past, heads], { axis: 2 }, cached.present) : heads;
    return g.op("Unsqueeze", [withPast, g.list(2)]); // [B, Hkv, 1, S, D]
  }) as [string, string];
  const dots = g.op("MatMul", [queries, g.op("Transpose", [keys], { perm: [0, 1, 2, 4, 3] })]);
  const capped = softcapped(g, g.op("Mul", [dots, g.scalar(scale)]), softcap); // [B, Hkv, H / Hkv, T, S]
  const byGroups = (bias: string) => {
    const sizes = g.op("Slice", [g.op("Shape", [bias]), g.list(2), g.list(4)]); // [T, S]
    return g.op("Reshape", [bias, g.op("Concat", [g.list(1, Hkv, H / Hkv), sizes], { axis: 0 })]);
  };
  const scores = bias === undefined ? capped : g.op("Add", [capped, byGroups(bias)]);
  // A row without visible keys (padding) becomes the mean of all values instead of NaN.
  const masked =
    mask === undefined
      ? scores
      : g.op("Where", [g.op("Unsqueeze", [mask, g.list(2)]), scores, g.scalar(lowest)]);
  const weights =
    config.sinks === undefined
      ? g.op("Softmax", [masked], { axis: -1 })
      : softmaxWithSinks(g, masked, config);
  const headOutputs = g.op("MatMul", [weights, values]);
  return g.op("Reshape", [
    g.op("Transpose", [headOutputs], { perm: [0, 3, 1, 2, 4] }),
    g.list(0, 0, H * valueDim),
  ]);
}

/** Attention weights from scores `[B, Hkv, H / Hkv, T, S]`, with an attention sink per head. */
function softmaxWithSinks(
  g: OnnxGraph,
  scores: string,
  { sinks, numHeads: H, numKvHeads: Hkv }: AttendSubgraphConfig,
): string {
  const first = g.op("Slice", [scores, g.list(0), g.list(1), g.list(4)]); // [B, Hkv, H / Hkv, T, 1]
  const sinkPerHead = g.op("Reshape", [sinks!, g.list(1, Hkv, H / Hkv, 1, 1)]);
  const logits = g.op("Add", [g.op("Mul", [first, g.scalar(0)]), sinkPerHead]);
  const weights = g.op("Softmax", [g.op("Concat", [logits, scores], { axis: 4 })], { axis: -1 });
  return g.op("Slice", [weights, g.list(1), g.list(Number.MAX_SAFE_INTEGER), g.list(4)]);
}

/** Soft cap: `cap · tanh(x / cap)`. */
export function softcapped(g: OnnxGraph, x: string, cap: number | undefined): string {
  if (cap === undefined) return x;
  return g.op("Mul", [g.op("Tanh", [g.op("Div", [x, g.scalar(cap)])]), g.scalar(cap)]);
}
