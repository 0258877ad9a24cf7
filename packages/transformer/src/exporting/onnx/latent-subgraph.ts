import type { LatentParams } from "@qkv/attention";
import type { LatentHeads } from "../../models/decoder-config.js";
import { attendSubgraph, type AttendSubgraphConfig } from "./attend-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import { normSubgraph } from "./norm-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import type { RopeSubgraph } from "./rope-subgraph.js";

/** Configuration of a layer of latent attention in a graph. */
export type LatentSubgraphConfig = Pick<AttendSubgraphConfig, "numHeads" | "scale" | "mask" | "layer"> & {
  latent: LatentHeads;
  rope?: RopeSubgraph | undefined;
};

/**
 * Multi-head latent attention (MLA) of `[B, T, C]`, including cached tokens. Keys and values of all heads are computed from the latents
 * and cached, because ONNX operators need keys: the cache is that of multi-head attention.
 */
export function latentSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  params: LatentParams,
  { latent, rope, ...config }: LatentSubgraphConfig,
): string {
  const { kvRank, nopeDim, ropeDim, valueDim } = latent;
  const { numHeads: H } = config;
  const project = (name: "queryDown" | "query" | "latent" | "key" | "value" | "output", x: string) =>
    linearSubgraph(g, `${path}.${name}`, x, params[name]!);
  const norm = (name: "queryNorm" | "latentNorm", x: string) =>
    normSubgraph(g, `${path}.${name}`, x, params[name]!, { kind: "rms", eps: latentEps });
  const rotate = (x: string, heads: number) => (rope ? rope(x, heads) : x);
  const split = (x: string, ...sizes: [number, number]) =>
    g.ops("Split", [x, g.list(...sizes)], 2, { axis: -1 }) as [string, string];
  /** Reshapes `[B, T, heads · width]` to `[B, T, heads, width]`, and back. */
  const byHead = (x: string, heads: number, width: number) =>
    g.op("Reshape", [x, g.list(0, 0, heads, width)]);
  const flat = (x: string, width: number) => g.op("Reshape", [x, g.list(0, 0, width)]);
  const joined = (unrotated: string, rotated: string) =>
    flat(g.op("Concat", [unrotated, rotated], { axis: -1 }), H * headDim);
  const headDim = nopeDim + ropeDim;

  const source = params.queryDown ? norm("queryNorm", project("queryDown", x)) : x;
  const [unrotated, rotated] = split(byHead(project("query", source), H, headDim), nopeDim, ropeDim);
  const query = joined(unrotated, byHead(rotate(flat(rotated, H * ropeDim), H), H, ropeDim));

  const [raw, shared] = split(project("latent", x), kvRank, ropeDim);
  const latents = norm("latentNorm", raw); // [B, T, kvRank]
  const repeatedRope = g.op("Tile", [byHead(rotate(shared, 1), 1, ropeDim), g.list(1, 1, H, 1)]);
  const key = joined(byHead(project("key", latents), H, nopeDim), repeatedRope);

  const attend = { ...config, numKvHeads: H, headDim, valueDim };
  return project("output", attendSubgraph(g, [query, key, project("value", latents)], attend));
}

/** Epsilon of the latent norms: the default of the layer. */
const latentEps = 1e-6;
