import type { ConfigFields } from "../config-fields.js";
import type { ConfigEntry } from "../config-entry.js";
import {
  firstDenseLayers,
  normalizedShares,
  ofExperts,
  sharedExperts,
  sharesScale,
} from "../expert-parts.js";
import { layersWith, presence } from "./gguf-presence.js";

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

/** Number of experts, and of those of a token, where they are as wide as `feed_forward_length` says. */
export const ggufWideExperts: ConfigEntry = /* @__PURE__ */ ofExperts(
  (fields) => ({
    numExperts: fields.count("expert_count"),
    expertsPerToken: fields.count("expert_used_count"),
  }),
  (experts) => ({ expert_count: experts.numExperts, expert_used_count: experts.expertsPerToken }),
);

/** A key of the experts' width, which is that of `feed_forward_length`: llama.cpp reads either. */
export const ggufEqualWidth: ConfigEntry = {
  read(fields, { hiddenDim }) {
    fields.mustBe("expert_feed_forward_length", hiddenDim);
    return {};
  },
  write: ({ hiddenDim }) => ({ expert_feed_forward_length: hiddenDim }),
};

/** The same entry where a file has experts; else counts of them are 0, or absent, and nothing is read. */
export const whereExperts = (
  entry: ConfigEntry,
  has: (fields: ConfigFields) => boolean = (fields) => fields.number("expert_count", 0) > 0,
): ConfigEntry => ({
  read(fields, config) {
    if (has(fields)) return entry.read(fields, config);
    for (const name of ["expert_count", "expert_used_count", "expert_feed_forward_length"]) fields.has(name);
    return {};
  },
  write: entry.write,
});

/** Layers with experts, which the presence of their routers tells. */
export const ggufRouted: ConfigEntry = /* @__PURE__ */ ofExperts(
  (fields, { numLayers = 0 }) => {
    const routed = layersWith(fields, router);
    const layers = Array.from({ length: numLayers }, (_, i) => routed.has(i));
    return layers.includes(false) ? { layers } : {};
  },
  ({ layers }, { numLayers }) => ({
    [presence(router)]: Array.from({ length: numLayers }, (_, i) => i).filter((i) => layers?.[i] ?? true),
  }),
);

/** The stem of a router's name. */
export const router = "ffn_gate_inp";

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
export const ggufSigmoidBias: ConfigEntry = /* @__PURE__ */ ofExperts(
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
export const ggufGroups: readonly ConfigEntry[] = [
  ggufExperts,
  ggufScores,
  ggufSigmoidBias,
  /* @__PURE__ */ normalizedShares(false, "expert_weights_norm"),
  /* @__PURE__ */ sharesScale(1, "expert_weights_scale"),
  /* @__PURE__ */ sharedExperts("expert_shared_count"),
  /* @__PURE__ */ firstDenseLayers(0, "leading_dense_block_count"),
];
