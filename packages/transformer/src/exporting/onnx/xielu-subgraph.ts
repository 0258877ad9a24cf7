import { unchanged } from "../../architectures/tensor-to-write.js";
import type { XieluParams } from "../../layers/xielu.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** xIELU: above 0 `a x² + βx`, below `b (eˣ − 1 − x) + βx`, with `a = softplus(positive)` and `b = β + softplus(negative)`. */
export function xieluSubgraph(g: OnnxGraph, path: string, x: string, params: XieluParams): string {
  const weight = (name: keyof XieluParams) =>
    g.weight(unchanged(`${path}.xielu.${name}`, params[name]), { full: true });
  const [add, mul, sub] = (["Add", "Mul", "Sub"] as const).map(
    (type) => (x: string, y: string) => g.op(type, [x, y]),
  ) as [Binary, Binary, Binary];
  const beta = weight("beta");
  const above = mul(g.op("Softplus", [weight("positive")]), mul(x, x));
  const exp = g.op("Exp", [g.op("Min", [x, weight("eps")])]);
  const curvature = add(beta, g.op("Softplus", [weight("negative")]));
  const below = mul(curvature, sub(sub(exp, g.scalar(1)), x));
  return add(g.op("Where", [g.op("Greater", [x, g.scalar(0)]), above, below]), mul(beta, x));
}

type Binary = (x: string, y: string) => string;
