import type { AttentionParams } from "@qkv/attention";
import type { Tensor } from "@qkv/tensor";
import { unchanged } from "../../architectures/tensor-to-write.js";
import { attendSubgraph, type AttendSubgraphConfig } from "./attend-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import { normSubgraph } from "./norm-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import type { RopeSubgraph } from "./rope-subgraph.js";

/** Configuration of an attention layer in a graph. */
export type AttentionSubgraphConfig = Omit<AttendSubgraphConfig, "sinks" | "valueDim"> & {
  /** Epsilon of the norms of queries and keys. */
  normEps: number;
  /** Norm of queries and keys per head, or over all heads of a token. Default `head`. */
  normOver?: "head" | "heads";
  /** The norm is before RoPE, after RoPE, or absent. Default `beforeRope`. */
  normPlace?: "beforeRope" | "afterRope" | "none";
  rope?: RopeSubgraph | undefined;
};

/** Params of an attention layer, with attention sinks. */
type Params = AttentionParams & { readonly sinks?: Tensor };

/** Self-attention of `[B, T, C]`, including cached tokens. */
export function attentionSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  params: Params,
  config: AttentionSubgraphConfig,
): string {
  const { numHeads: H, numKvHeads: Hkv, headDim: D, rope, normEps } = config;
  const { normOver = "head", normPlace = "beforeRope" } = config;
  const projectHeads = (name: "query" | "key", heads: number): string => {
    const gain = name === "query" ? params.queryNorm : params.keyNorm;
    const normed = (x: string) =>
      normSubgraph(g, `${path}.${name}Norm`, x, gain!, { kind: "rms", eps: normEps });
    const normPerHead = (x: string) =>
      g.op("Reshape", [normed(g.op("Reshape", [x, g.list(0, 0, heads, D)])), g.list(0, 0, heads * D)]);
    const isNormed = gain && normPlace !== "none";
    const normalize = (x: string) => (!isNormed ? x : normOver === "heads" ? normed(x) : normPerHead(x));
    const rotate = (x: string) => (rope ? rope(x, heads) : x);
    const rows = linearSubgraph(g, `${path}.${name}`, x, params[name]);
    return normPlace === "afterRope" ? normalize(rotate(rows)) : rotate(normalize(rows));
  };
  const [query, key] = [projectHeads("query", H), projectHeads("key", Hkv)]; // [B, T, heads · D]
  const value = linearSubgraph(g, `${path}.value`, x, params.value);
  const sinks = params.sinks && g.weight(unchanged(`${path}.sinks`, params.sinks));
  const headOutputs = attendSubgraph(g, [query, key, value], { ...config, sinks });
  return linearSubgraph(g, `${path}.output`, headOutputs, params.output);
}
