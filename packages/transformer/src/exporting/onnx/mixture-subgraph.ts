import type { Activation } from "../../layers/activation.js";
import type { MixtureOfExpertsParams } from "../../layers/mixture-of-experts.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { feedForwardSubgraph } from "./feed-forward-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";

/**
 * Experts: the shares of those that a token does not choose are 0. A graph does the same for every token, so each expert
 * computes all tokens, and costs as if all were chosen.
 */
export function mixtureSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  { router, experts }: MixtureOfExpertsParams,
  { expertsPerToken, normTopKProb = true }: NonNullable<DecoderConfig["experts"]>,
  activation: Activation,
): string {
  const softmax = (of: string) => g.op("Softmax", [of], { axis: -1 });
  const scores = linearSubgraph(g, `${path}.router`, x, router); // [B, T, numExperts]
  const [values, chosen] = g.ops(
    "TopK",
    [normTopKProb ? scores : softmax(scores), g.list(expertsPerToken)],
    2,
    { axis: -1 },
  ) as [string, string];
  const none = g.op("Mul", [scores, g.scalar(0)]);
  const shares = g.op("ScatterElements", [none, chosen, normTopKProb ? softmax(values) : values], {
    axis: -1,
  });
  const columns = g.ops("Split", [shares, g.list(...experts.map(() => 1))], experts.length, { axis: -1 });
  const added = experts.map((expert, e) =>
    g.op("Mul", [feedForwardSubgraph(g, `${path}.experts.${e}`, x, expert, activation), columns[e]!]),
  );
  return added.reduce((sum, one) => g.op("Add", [sum, one]));
}
