import type { Activation } from "../../layers/activation.js";
import type { FeedForwardParams, GateLimit } from "../../layers/feed-forward.js";
import { activationSubgraph } from "./activation-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { xieluSubgraph } from "./xielu-subgraph.js";

export type FeedForwardSubgraphConfig = {
  activation: Activation;
  /** Default: none. */
  gateLimit?: GateLimit | undefined;
};

/** A feed-forward layer, with or without a gate. */
export function feedForwardSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  { gate, up, down, xielu }: FeedForwardParams,
  { activation, gateLimit }: FeedForwardSubgraphConfig,
): string {
  const upProjected = linearSubgraph(g, `${path}.up`, x, up);
  const activate = (x: string) =>
    activation === "xielu" ? xieluSubgraph(g, path, x, xielu!) : activationSubgraph(g, activation, x);
  if (!gate) return linearSubgraph(g, `${path}.down`, activate(upProjected), down);
  const gates = linearSubgraph(g, `${path}.gate`, x, gate);
  const [limited, upLimited] = gateLimit
    ? applyLimits(g, gates, upProjected, gateLimit)
    : [gates, upProjected];
  const product = g.op("Mul", [activate(limited), upLimited]);
  return linearSubgraph(g, `${path}.down`, product, down);
}

/** Clamps gate and up projection as in gpt-oss, and adds an offset to the latter. */
function applyLimits(
  g: OnnxGraph,
  gates: string,
  upProjected: string,
  { limit, offset = 0 }: GateLimit,
): [gates: string, upLimited: string] {
  const clamped = g.op("Clip", [upProjected, g.scalar(-limit), g.scalar(limit)]);
  return [
    g.op("Min", [gates, g.scalar(limit)]),
    offset === 0 ? clamped : g.op("Add", [clamped, g.scalar(offset)]),
  ];
}
