import type { AttentionParams } from "@qkv/attention";
import { linearSubgraph } from "./linear-subgraph.js";
import { normSubgraph } from "./norm-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import type { RopeSubgraph } from "./rope-subgraph.js";

/** Configuration of an attention layer in a graph. */
export type AttentionSubgraphConfig = {
  numHeads: number;
  numKvHeads: number;
  headDim: number;
  scale: number;
  softcap?: number | undefined;
  /** Added to the mean square where queries and keys are normalised. */
  normEps: number;
  /** Queries and keys are normalised head by head, or over all heads of a token. Default `head`. */
  normOver?: "head" | "heads";
  rope?: RopeSubgraph | undefined;
  /** The mask, `[B, 1, T, S]` bool. */
  mask: string;
  /** Index of the layer in `past_key_values` and `present`. Default: no cache. */
  layer?: number;
};

/** Attention of `[B, T, C]` to itself and to what came before: `past_key_values.N` in, `present.N` out. */
export function attentionSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  params: AttentionParams,
  config: AttentionSubgraphConfig,
): string {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, rope, normEps, normOver = "head", layer } = config;
  const headed = (name: "query" | "key", heads: number): string => {
    const rows = linearSubgraph(g, `${path}.${name}`, x, params[name]);
    const gain = name === "query" ? params.queryNorm : params.keyNorm;
    const normed = (x: string) =>
      normSubgraph(g, `${path}.${name}Norm`, x, gain!, { kind: "rms", eps: normEps });
    const headByHead = () =>
      g.op("Reshape", [normed(g.op("Reshape", [rows, g.list(0, 0, heads, D)])), g.list(0, 0, heads * D)]);
    const flat = !gain ? rows : normOver === "heads" ? normed(rows) : headByHead();
    return rope ? rope(flat, heads) : flat;
  };
  const [query, key] = [headed("query", H), headed("key", Hkv)]; // [B, T, heads · D]
  const value = linearSubgraph(g, `${path}.value`, x, params.value);
  const stored = (side: string) =>
    layer === undefined
      ? undefined
      : {
          past: g.input(`past_key_values.${layer}.${side}`, ["batch_size", Hkv, "past_sequence_length", D]),
          present: g.output(`present.${layer}.${side}`, ["batch_size", Hkv, "total_sequence_length", D]),
        };
  const held = [stored("key"), stored("value")] as const;
  const mixed =
    g.operators === "standard" && config.softcap === undefined
      ? asOperator(g, [query, key, value], held, config)
      : composed(g, [query, key, value], held, config);
  return linearSubgraph(g, `${path}.output`, mixed, params.output);
}

type Held = { past: string; present: string } | undefined;
type Rows = [query: string, key: string, value: string];

function asOperator(
  g: OnnxGraph,
  [query, key, value]: Rows,
  held: readonly [Held, Held],
  { numHeads, numKvHeads, scale, mask }: AttentionSubgraphConfig,
): string {
  const [keys, values] = held;
  const attributes = { q_num_heads: numHeads, kv_num_heads: numKvHeads, scale: { float: scale } };
  if (!keys || !values) return g.op("Attention", [query, key, value, mask], attributes);
  const mixed = `mixed.${keys.present}`;
  g.ops(
    "Attention",
    [query, key, value, mask, keys.past, values.past],
    [mixed, keys.present, values.present],
    attributes,
  );
  return mixed;
}

/** Query heads that share keys are an axis of their own, `[B, Hkv, H / Hkv, T, D]`, so that no key is copied. */
function composed(
  g: OnnxGraph,
  [query, key, value]: Rows,
  held: readonly [Held, Held],
  { numHeads: H, numKvHeads: Hkv, headDim: D, scale, softcap, mask }: AttentionSubgraphConfig,
): string {
  const queries = g.op("Transpose", [g.op("Reshape", [query, g.list(0, 0, Hkv, H / Hkv, D)])], {
    perm: [0, 2, 3, 1, 4],
  });
  const [keys, values] = [key, value].map((rows, i) => {
    const heads = g.op("Transpose", [g.op("Reshape", [rows, g.list(0, 0, Hkv, D)])], { perm: [0, 2, 1, 3] });
    const own = held[i];
    const all = own ? g.op("Concat", [own.past, heads], { axis: 2 }, own.present) : heads;
    return g.op("Unsqueeze", [all, g.list(2)]); // [B, Hkv, 1, S, D]
  }) as [string, string];
  const dots = g.op("MatMul", [queries, g.op("Transpose", [keys], { perm: [0, 1, 2, 4, 3] })]);
  const scores = softcapped(g, g.op("Mul", [dots, g.scalar(scale)]), softcap);
  // A row without a key, of padding, is then the mean of all instead of no number.
  const seen = g.op("Where", [g.op("Unsqueeze", [mask, g.list(2)]), scores, g.scalar(lowest)]);
  const mixed = g.op("MatMul", [g.op("Softmax", [seen], { axis: -1 }), values]);
  return g.op("Reshape", [g.op("Transpose", [mixed], { perm: [0, 3, 1, 2, 4] }), g.list(0, 0, H * D)]);
}

/** Bends numbers into (−cap, cap). */
export function softcapped(g: OnnxGraph, x: string, cap: number | undefined): string {
  if (cap === undefined) return x;
  return g.op("Mul", [g.op("Tanh", [g.op("Div", [x, g.scalar(cap)])]), g.scalar(cap)]);
}

const lowest = -(2 - 2 ** -23) * 2 ** 127; // of float32
