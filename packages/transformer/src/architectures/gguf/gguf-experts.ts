import type { ConfigFields } from "../config-fields.js";
import type { ConfigEntry } from "../config-entry.js";
import {
  firstDenseLayers,
  topKNormalization,
  expertsEntry,
  sharedExperts,
  routedScaling,
} from "../expert-parts.js";
import { layersWith, presence } from "./gguf-presence.js";

/** Number of experts, number of experts per token, and their hidden width. */
export const ggufExperts: ConfigEntry = /* @__PURE__ */ expertsEntry(
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

/** Number of experts and number of experts per token, for experts of the width in `feed_forward_length`. */
export const ggufWideExperts: ConfigEntry = /* @__PURE__ */ expertsEntry(
  (fields) => ({
    numExperts: fields.count("expert_count"),
    expertsPerToken: fields.count("expert_used_count"),
  }),
  (experts) => ({ expert_count: experts.numExperts, expert_used_count: experts.expertsPerToken }),
);

/** A key for the width of experts that must equal `feed_forward_length`: llama.cpp reads either. */
export const ggufEqualWidth: ConfigEntry = {
  read(fields, { hiddenDim }) {
    fields.mustEqual("expert_feed_forward_length", hiddenDim);
    return {};
  },
  write: ({ hiddenDim }) => ({ expert_feed_forward_length: hiddenDim }),
};

/** Makes an entry optional: it is skipped for files without experts, where the number of experts is 0 or absent. */
export const optionalExperts = (
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

/** Layers with experts: those that have a router. */
export const layersWithRouter: ConfigEntry = /* @__PURE__ */ expertsEntry(
  (fields, { numLayers = 0 }) => {
    const routed = layersWith(fields, router);
    const layers = Array.from({ length: numLayers }, (_, i) => routed.has(i));
    return layers.includes(false) ? { layers } : {};
  },
  ({ layers }, { numLayers }) => ({
    [presence(router)]: Array.from({ length: numLayers }, (_, i) => i).filter((i) => layers?.[i] ?? true),
  }),
);

/** The name of a router without `blk.N.` and `.weight`. */
export const router = "ffn_gate_inp";

/** `normTopKProb` of an architecture without a key for it. */
export const ggufTopKNormalization = (normTopKProb: boolean): ConfigEntry =>
  expertsEntry(
    () => ({ normTopKProb }),
    () => ({}),
  );

/** The width of the shared expert. */
export const ggufSharedWidth = ({
  gated = false,
  name = "expert_shared_feed_forward_length",
} = {}): ConfigEntry =>
  expertsEntry(
    (fields) => {
      const hiddenDim = fields.countOr(undefined, name);
      return hiddenDim === undefined ? {} : { shared: { hiddenDim, ...(gated && { gated }) } };
    },
    ({ shared }) => (shared ? { [name]: shared.hiddenDim } : {}),
  );

const gating = { softmax: 1, sigmoid: 2 };

/** `expert_gating_func`: softmax or sigmoid router scores. */
export const ggufScores: ConfigEntry = /* @__PURE__ */ expertsEntry(
  (fields, _, { router }) => {
    const value = fields.countOr(gating.softmax, "expert_gating_func");
    if (value === gating.softmax) return {};
    if (value !== gating.sigmoid)
      return fields.unsupported("expert_gating_func", "1 (softmax) or 2 (sigmoid)");
    return { router: { ...router, scores: "sigmoid" } };
  },
  ({ router }) => ({ expert_gating_func: gating[router?.scores ?? "softmax"] }),
);

/** A correction bias, which models with sigmoid scores have. */
export const ggufSigmoidBias: ConfigEntry = /* @__PURE__ */ expertsEntry(
  (_, __, { router }) => (router?.scores === "sigmoid" ? { router: { ...router, choiceBias: true } } : {}),
  () => ({}),
);

/** Group-limited routing, with groups ranked by the sum of their two highest scores. */
export const ggufExpertGroups: ConfigEntry = /* @__PURE__ */ expertsEntry(
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

/** DeepSeek V3's experts, for architectures with keys for all options. */
export const ggufGroups: readonly ConfigEntry[] = [
  ggufExperts,
  ggufScores,
  ggufSigmoidBias,
  /* @__PURE__ */ topKNormalization(false, "expert_weights_norm"),
  /* @__PURE__ */ routedScaling(1, "expert_weights_scale"),
  /* @__PURE__ */ sharedExperts("expert_shared_count"),
  /* @__PURE__ */ firstDenseLayers(0, "leading_dense_block_count"),
];
