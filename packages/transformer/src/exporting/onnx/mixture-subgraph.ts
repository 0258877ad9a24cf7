import type { MixtureOfExpertsParams } from "../../layers/mixture-of-experts.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { feedForwardSubgraph, type FeedForwardSubgraphConfig } from "./feed-forward-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { routerSubgraph } from "./router-subgraph.js";

/**
 * Mixture of experts. A graph computes the same for every token, so each expert processes all tokens, and the routing weights of
 * experts that a token does not use are 0. The cost is that of all experts. A shared expert is added.
 */
export function mixtureSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  { router, experts, shared, sharedGate }: MixtureOfExpertsParams,
  config: NonNullable<DecoderConfig["experts"]>,
  inner: FeedForwardSubgraphConfig,
): string {
  const shares = routerSubgraph(g, `${path}.router`, x, router, config);
  const mul = (x: string, y: string) => g.op("Mul", [x, y]);
  const columns = g.ops("Split", [shares, g.list(...experts.map(() => 1))], experts.length, { axis: -1 });
  const expertOutputs = experts.map((expert, e) =>
    mul(feedForwardSubgraph(g, `${path}.experts.${e}`, x, expert, inner), columns[e]!),
  );
  const sum = expertOutputs.reduce((sum, output) => g.op("Add", [sum, output]));
  if (!shared) return sum;
  const sharedOutput = feedForwardSubgraph(g, `${path}.shared`, x, shared, inner);
  const gate = sharedGate && g.op("Sigmoid", [linearSubgraph(g, `${path}.sharedGate`, x, sharedGate)]);
  return g.op("Add", [sum, gate ? mul(sharedOutput, gate) : sharedOutput]);
}
