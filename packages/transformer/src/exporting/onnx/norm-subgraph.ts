import type { NormKind, NormParams } from "../../layers/norm.js";
import { unchanged } from "../../architectures/tensor-to-write.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** A norm over the last axis. */
export function normSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  { weight, bias }: NormParams,
  { kind, eps }: { kind: NormKind; eps: number },
): string {
  const gain = g.weight(unchanged(`${path}.weight`, weight));
  if (kind === "none") return g.op("Mul", [x, gain]);
  const settings = { axis: -1, epsilon: { float: eps } };
  if (kind === "layer") {
    const shift = bias ? [g.weight(unchanged(`${path}.bias`, bias))] : [];
    return g.op("LayerNormalization", [x, gain, ...shift], settings);
  }
  if (g.operators === "standard") return g.op("RMSNormalization", [x, gain], settings);
  const meanSquare = g.op("ReduceMean", [g.op("Mul", [x, x])], { axes: [-1], keepdims: 1 });
  const rms = g.op("Sqrt", [g.op("Add", [meanSquare, g.scalar(eps)])]);
  return g.op("Mul", [g.op("Div", [x, rms]), gain]);
}
