import type { Activation } from "../../layers/activation.js";
import type { FeedForwardParams } from "../../layers/feed-forward.js";
import { activationSubgraph } from "./activation-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** A feed-forward layer, gated where it has a gate. */
export function feedForwardSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  { gate, up, down }: FeedForwardParams,
  activation: Activation,
): string {
  const raised = linearSubgraph(g, `${path}.up`, x, up);
  const opened = gate
    ? g.op("Mul", [activationSubgraph(g, activation, linearSubgraph(g, `${path}.gate`, x, gate)), raised])
    : activationSubgraph(g, activation, raised);
  return linearSubgraph(g, `${path}.down`, opened, down);
}
