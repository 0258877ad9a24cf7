import type { checks } from "@qkv/core";
import { type Checks } from "@qkv/core";
import {
  add,
  div,
  full,
  gather,
  greater,
  mul,
  ones,
  reshape,
  scatter,
  sigmoid,
  softmax,
  sum,
  topK,
  where,
  zeros,
  type Tensor,
} from "@qkv/tensor";

/** Options for choosing the experts of a token and their routing weights, from the logits of all experts. */
export type RouterConfig = {
  /** Scores from logits. Default: `softmax` over all experts. */
  scores?: "softmax" | "sigmoid";
  /** True: a learned correction bias is added to scores for the choice of experts, but not to routing weights (DeepSeek V3). Default false. */
  choiceBias?: boolean;
  /** Group-limited routing: experts come from the best groups. Default: no groups. */
  groups?: ExpertGroups;
  /** Added to the sum by which routing weights from sigmoid scores are divided. Default 1e-20; LFM2: 1e-6. */
  shareEps?: number;
  /** Multiplies routing weights. Default 1. */
  scale?: number;
  /** The routing weight multiplies the `output` of an expert (default) or its `input` (Llama 4). */
  applyWeightOn?: "input" | "output";
};

/** Groups of adjacent experts, ranked by the sum of their `best` highest scores. */
export type ExpertGroups = {
  count: number;
  /** Number of groups that the experts of a token may be in. */
  chosen: number;
  /** Number of highest scores that are summed. Default 1 (DeepSeek V2); DeepSeek V3 has 2. */
  best?: number;
};

/** Further sizes for routing. */
type Routing = { numExperts: number; expertsPerToken: number; normTopKProb: boolean; router: RouterConfig };

/** Expert ids of each row, int32, and their routing weights: both `[N, expertsPerToken]`. */
export type Route = { readonly chosen: Tensor; readonly shares: Tensor };

/** Chooses the experts of each row of logits `[N, numExperts]`. */
export function route(
  logits: Tensor,
  { expertsPerToken: k, normTopKProb, router }: Routing,
  choiceBias: Tensor | undefined,
): Route {
  const { scores: kind = "softmax", groups, scale = 1, shareEps = 1e-20 } = router;
  const scores = kind === "sigmoid" ? sigmoid(logits) : softmax(logits);
  const adjusted = router.choiceBias || groups;
  // Logits have the order of scores, without ties from rounding.
  const ranked = !adjusted && (normTopKProb || kind === "sigmoid") ? logits : scores;
  const biased = router.choiceBias ? add(scores, choiceBias!) : ranked;
  const chosen = topK(groups ? maskOtherGroups(biased, groups) : biased, k).indices;
  const shares = routingWeights(kind, normTopKProb, { logits, scores, chosen, shareEps });
  return { chosen, shares: scale === 1 ? shares : mul(shares, scale) };
}

function routingWeights(
  kind: "softmax" | "sigmoid",
  normTopKProb: boolean,
  { logits, scores, chosen, shareEps }: { logits: Tensor; scores: Tensor; chosen: Tensor; shareEps: number },
): Tensor {
  // Softmax over the chosen experts equals softmax over all, normalized to sum to 1.
  if (normTopKProb && kind === "softmax") return softmax(gather(logits, -1, chosen));
  const chosenScores = gather(scores, -1, chosen);
  return normTopKProb
    ? div(chosenScores, add(sum(chosenScores, { axis: -1, keepDims: true }), shareEps))
    : chosenScores;
}

/** Sets scores `[N, E]` outside the best groups to −∞. */
function maskOtherGroups(scores: Tensor, { count, chosen, best = 1 }: ExpertGroups): Tensor {
  const [N, E] = scores.shape as [number, number];
  const inGroups = reshape(scores, [N, count, E / count]);
  const groupScores = sum(topK(inGroups, best).values, { axis: -1 }); // [N, count]
  const { indices } = topK(groupScores, chosen);
  const options = { dtype: scores.dtype, device: scores.device };
  const isChosen = scatter(zeros([N, count], options), -1, indices, ones([N, chosen], options));
  const masked = full(inGroups.shape, -Infinity, options);
  return reshape(where(greater(reshape(isChosen, [N, count, 1]), 0), inGroups, masked), [N, E]);
}

/** Refuses router options that do not fit the number of experts. */
export function checkRouter(check: Checks, { numExperts, expertsPerToken, router }: Routing): void {
  const {
    scores = "softmax",
    choiceBias = false,
    groups,
    scale,
    applyWeightOn = "output",
    shareEps,
  } = check.options(
    router,
    ["scores", "choiceBias", "groups", "shareEps", "scale", "applyWeightOn"],
    "router",
  );
  check.oneOf({ "router.scores": scores }, ["softmax", "sigmoid"]);
  check.oneOf({ "router.applyWeightOn": applyWeightOn }, ["output", "input"]);
  check.type({ "router.choiceBias": choiceBias }, "boolean");
  if (shareEps !== undefined) check.finite({ "router.shareEps": shareEps }, { min: 0 });
  if (scale !== undefined) check.finite({ "router.scale": scale }, { above: 0, fix: "leave it out for 1." });
  if (groups === undefined) return;
  const { count, chosen, best = 1 } = check.options(groups, ["count", "chosen", "best"], "router.groups");
  check.whole(
    { "router.groups.count": count, "router.groups.chosen": chosen, "router.groups.best": best },
    { min: 1 },
  );
  const size = numExperts / count;
  const fits = Number.isInteger(size) && chosen <= count && best <= size && expertsPerToken <= chosen * size;
  check.each(
    { "router.groups": groups },
    () => fits,
    `groups that divide ${numExperts} experts, of which the chosen hold expertsPerToken = ${expertsPerToken}`,
    "take `n_group` and `topk_group` of the model's configuration.",
  );
}

/** Refuses params without the correction bias. */
export function checkChoiceBias(
  check: ReturnType<typeof checks>,
  { choiceBias }: RouterConfig,
  paramsBias: unknown,
): void {
  if (!choiceBias || paramsBias) return;
  check.refuse({
    argument: "params.router.choiceBias",
    received: paramsBias,
    expected: "a bias [numExperts], as the router has a choiceBias",
    fix: "take the params of `init(seed)`, or load those of a checkpoint.",
  });
}
