import type { Activation } from "../../layers/activation.js";
import type { FeedForwardParams } from "../../layers/feed-forward.js";
import { activationPart } from "./activation-part.js";
import { linearPart } from "./linear-part.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** A feed-forward layer, gated where it has a gate. */
export function feedForwardPart(
  g: OnnxGraph,
  path: string,
  x: string,
  { gate, up, down }: FeedForwardParams,
  activation: Activation,
): string {
  const raised = linearPart(g, `${path}.up`, x, up);
  const opened = gate
    ? g.op("Mul", [activationPart(g, activation, linearPart(g, `${path}.gate`, x, gate)), raised])
    : activationPart(g, activation, raised);
  return linearPart(g, `${path}.down`, opened, down);
}
