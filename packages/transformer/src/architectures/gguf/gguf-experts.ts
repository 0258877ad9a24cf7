import type { ConfigEntry } from "../config-entry.js";
import {
  firstDenseLayers,
  normalizedShares,
  ofExperts,
  sharedExperts,
  sharesScale,
} from "../expert-parts.js";

/** Number of experts, of those of a token, and their width. */
export const ggufExperts: ConfigEntry = /* @__PURE__ */ ofExperts(
  (fields, { hiddenDim = 0 }) => {
    const width = fields.countOr(hiddenDim, "expert_feed_forward_length");
    return {
      numExperts: fields.count("expert_count"),
      expertsPerToken: fields.count("expert_used_count"),
      ...(width !== hiddenDim && { hiddenDim: width }),
    };
  },
  (experts, config) => ({
    expert_count: experts.numExperts,
    expert_used_count: experts.expertsPerToken,
    expert_feed_forward_length: experts.hiddenDim ?? config.hiddenDim,
  }),
);

/** Shares of a token's experts sum to 1 in this architecture, or they do not: no key says it. */
export const ggufShares = (normTopKProb: boolean): ConfigEntry =>
  ofExperts(
    () => ({ normTopKProb }),
    () => ({}),
  );

/** The width of the shared expert. */
export const ggufSharedWidth = ({
  gated = false,
  name = "expert_shared_feed_forward_length",
} = {}): ConfigEntry =>
  ofExperts(
    (fields) => {
      const hiddenDim = fields.countOr(undefined, name);
      return hiddenDim === undefined ? {} : { shared: { hiddenDim, ...(gated && { gated }) } };
    },
    ({ shared }) => (shared ? { [name]: shared.hiddenDim } : {}),
  );

const gating = { softmax: 1, sigmoid: 2 };

/** The function of scores. */
export const ggufScores: ConfigEntry = /* @__PURE__ */ ofExperts(
  (fields, _, { router }) => {
    const value = fields.countOr(gating.softmax, "expert_gating_func");
    if (value === gating.softmax) return {};
    if (value !== gating.sigmoid) return fields.refuse("expert_gating_func", "1 (softmax) or 2 (sigmoid)");
    return { router: { ...router, scores: "sigmoid" } };
  },
  ({ router }) => ({ expert_gating_func: gating[router?.scores ?? "softmax"] }),
);

/** A bias of the choice, which goes with sigmoids. */
const choiceBias: ConfigEntry = /* @__PURE__ */ ofExperts(
  (_, __, { router }) => (router?.scores === "sigmoid" ? { router: { ...router, choiceBias: true } } : {}),
  () => ({}),
);

/** Groups of experts, of which the best are those whose two highest scores have the largest sum. */
export const ggufExpertGroups: ConfigEntry = /* @__PURE__ */ ofExperts(
  (fields, _, { router }) => {
    const count = fields.countOr(1, "expert_group_count");
    const chosen = fields.countOr(count, "expert_group_used_count");
    return chosen === count ? {} : { router: { ...router, groups: { count, chosen, best: 2 } } };
  },
  ({ router }): Record<string, number> =>
    router?.groups
      ? { expert_group_count: router.groups.count, expert_group_used_count: router.groups.chosen }
      : {},
);

/** Experts as DeepSeek V3 has them, in architectures whose keys say all of it. */
export const ggufGroups: readonly ConfigEntry[] = /* @__PURE__ */ (() => [
  ggufExperts,
  ggufScores,
  choiceBias,
  normalizedShares(false, "expert_weights_norm"),
  sharesScale(1, "expert_weights_scale"),
  sharedExperts("expert_shared_count"),
  firstDenseLayers(0, "leading_dense_block_count"),
])();
