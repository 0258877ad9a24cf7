import type { MixtureOfExpertsParams } from "../../layers/mixture-of-experts.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { feedForwardSubgraph, type FeedForwardSubgraphConfig } from "./feed-forward-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { routerSubgraph } from "./router-subgraph.js";

/**
 * Experts: the shares of those that a token does not choose are 0. A graph does the same for every token, so each expert
 * computes all tokens, and costs as if all were chosen. A shared expert is added to them.
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
  const added = experts.map((expert, e) =>
    mul(feedForwardSubgraph(g, `${path}.experts.${e}`, x, expert, inner), columns[e]!),
  );
  const sum = added.reduce((sum, one) => g.op("Add", [sum, one]));
  if (!shared) return sum;
  const ofAll = feedForwardSubgraph(g, `${path}.shared`, x, shared, inner);
  const gate = sharedGate && g.op("Sigmoid", [linearSubgraph(g, `${path}.sharedGate`, x, sharedGate)]);
  return g.op("Add", [sum, gate ? mul(ofAll, gate) : ofAll]);
}
