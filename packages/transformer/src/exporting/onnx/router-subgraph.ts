import type { RouterParams } from "../../layers/mixture-of-experts.js";
import type { ExpertGroups } from "../../layers/router.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { unchanged } from "../../architectures/tensor-to-write.js";
import { linearSubgraph } from "./linear-subgraph.js";
import { lowest, type OnnxGraph } from "./onnx-graph.js";

type Experts = NonNullable<DecoderConfig["experts"]>;

/** Routing weights of all experts, `[B, T, numExperts]`, 0 for experts that a token does not use. */
export function routerSubgraph(
  g: OnnxGraph,
  path: string,
  x: string,
  params: RouterParams,
  { expertsPerToken, normTopKProb = true, numExperts, router = {} }: Experts,
): string {
  const { scores: kind = "softmax", groups, scale = 1, shareEps = 1e-20 } = router;
  const softmax = (x: string) => g.op("Softmax", [x], { axis: -1 });
  const logits = linearSubgraph(g, path, x, params);
  const isPlain = !router.choiceBias && !groups;
  const softmaxOverChosen = normTopKProb && kind === "softmax"; // softmax over the chosen experts only
  const scored = () => (kind === "sigmoid" ? g.op("Sigmoid", [logits]) : softmax(logits));
  const scores = isPlain && softmaxOverChosen ? logits : scored();
  // Logits have the order of scores, without ties from rounding.
  const sorted = isPlain && (normTopKProb || kind === "sigmoid") ? logits : scores;
  const biased = router.choiceBias
    ? g.op("Add", [sorted, g.weight(unchanged(`${path}.choiceBias`, params.choiceBias!))])
    : sorted;
  const ranked = groups ? maskOtherGroups(g, biased, numExperts, groups) : biased;
  const [, indices] = g.ops("TopK", [ranked, g.list(expertsPerToken)], 2, { axis: -1 }) as [string, string];
  const ofChosen = (x: string) => g.op("GatherElements", [x, indices], { axis: -1 });
  const normalized = (x: string): string => {
    const sum = g.op("ReduceSum", [x, g.list(-1)], { keepdims: 1 });
    return g.op("Div", [x, g.op("Add", [sum, g.scalar(shareEps)])]);
  };
  const chosenScores = ofChosen(softmaxOverChosen ? logits : scores);
  const normalize = softmaxOverChosen ? softmax : normTopKProb ? normalized : (x: string) => x;
  const raw = normalize(chosenScores);
  const shares = scale === 1 ? raw : g.op("Mul", [raw, g.scalar(scale)]);
  const zeros = g.op("Mul", [logits, g.scalar(0)]);
  return g.op("ScatterElements", [zeros, indices, shares], { axis: -1 });
}

/** Sets scores `[B, T, E]` outside the best groups to the lowest number. */
function maskOtherGroups(g: OnnxGraph, scores: string, E: number, { count, chosen, best = 1 }: ExpertGroups) {
  const inGroups = g.op("Reshape", [scores, g.list(0, 0, count, E / count)]);
  const [highest] = g.ops("TopK", [inGroups, g.list(best)], 2, { axis: -1 }) as [string, string];
  const groupScores = g.op("ReduceSum", [highest, g.list(-1)], { keepdims: 0 }); // [B, T, count]
  const [values, indices] = g.ops("TopK", [groupScores, g.list(chosen)], 2, { axis: -1 }) as [string, string];
  const zeros = g.op("Mul", [groupScores, g.scalar(0)]);
  const ones = g.op("Add", [g.op("Mul", [values, g.scalar(0)]), g.scalar(1)]);
  const isChosen = g.op("ScatterElements", [zeros, indices, ones], { axis: -1 });
  const isInChosen = g.op("Unsqueeze", [g.op("Greater", [isChosen, g.scalar(0)]), g.list(3)]);
  return g.op("Reshape", [g.op("Where", [isInChosen, inGroups, g.scalar(lowest)]), g.list(0, 0, E)]);
}
