import type { LinearParams } from "@qkv/attention";
import { unchanged, transposed } from "../../architectures/tensor-to-write.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** A linear layer: `x Wᵀ + b`. The file stores Wᵀ. */
export function linearSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  { weight, bias }: LinearParams,
): string {
  const y = g.op("MatMul", [x, g.weight(transposed(`${path}.weight`, [weight]))]);
  return bias ? g.op("Add", [y, g.weight(unchanged(`${path}.bias`, bias))]) : y;
}
