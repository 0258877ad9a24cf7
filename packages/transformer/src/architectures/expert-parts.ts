import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig, ExpertsConfig } from "../models/decoder-config.js";
import type { ConfigEntry } from "./config-entry.js";
import { layerTypesField, type ConfigFields } from "./config-fields.js";
import { layerValues } from "./layer-lists.js";
import { feedForwardProjections } from "./llama-parts.js";
import {
  withAlternative,
  each,
  linear,
  perExpert,
  stored,
  under,
  type StoredTensor,
} from "./stored-tensor.js";

/** An entry that reads or writes fields of `experts`, the mixture-of-experts part of a configuration. */
export const expertsEntry = (
  read: (
    fields: ConfigFields,
    config: Partial<DecoderConfig>,
    experts: ExpertsConfig,
  ) => Partial<ExpertsConfig>,
  write: (experts: ExpertsConfig, config: DecoderConfig) => Readonly<Record<string, unknown>>,
): ConfigEntry => ({
  read(fields, config) {
    const experts = config.experts ?? { numExperts: 0, expertsPerToken: 0 };
    return { experts: { ...experts, ...read(fields, config, experts) } };
  },
  write: (config) => (config.experts ? write(config.experts, config) : {}),
});

/** Number of experts, number of experts per token, and their hidden width if it has its own field. */
export const expertCounts = (numExperts: string, hiddenDim?: string, perToken = "num_experts_per_tok") =>
  expertsEntry(
    (fields) => ({
      numExperts: fields.count(numExperts),
      expertsPerToken: fields.count(perToken),
      ...(hiddenDim !== undefined && { hiddenDim: fields.count(hiddenDim) }),
    }),
    (experts, config) => ({
      [numExperts]: experts.numExperts,
      [perToken]: experts.expertsPerToken,
      ...(hiddenDim !== undefined && { [hiddenDim]: experts.hiddenDim ?? config.hiddenDim }),
    }),
  );

/** `norm_topk_prob`: true if the routing weights of a token's experts are normalized to sum to 1. */
export const topKNormalization = (fallback: boolean, name = "norm_topk_prob") =>
  expertsEntry(
    (fields) => ({ normTopKProb: fields.flag(name, fallback) }),
    ({ normTopKProb = true }) => ({ [name]: normTopKProb }),
  );

/** Sigmoid router scores, with a correction bias for the choice of experts. */
export const sigmoidScores = /* @__PURE__ */ expertsEntry(
  (_, __, { router }) => ({ router: { ...router, scores: "sigmoid", choiceBias: true } }),
  () => ({}),
);

/** `routed_scaling_factor`: multiplies the routing weights. */
export const routedScaling = (fallback: number, name = "routed_scaling_factor") =>
  expertsEntry(
    (fields, _, { router }) => {
      const scale = fields.positive(name, fallback);
      return scale === 1 ? {} : { router: { ...router, scale } };
    },
    ({ router }) => ({ [name]: router?.scale ?? 1 }),
  );

/** Group-limited routing: a token's experts come from `topk_group` of `n_group` groups. If all groups are chosen, there is no limit. */
export const expertGroups = (best: 1 | 2, fallback: { count: number; chosen: number }) =>
  expertsEntry(
    (fields, _, { router, numExperts }) => {
      const count = fields.countOr(fallback.count, "n_group");
      const chosen = fields.countOr(fallback.chosen, "topk_group");
      if (numExperts % count !== 0) return fields.refuse("n_group", `a divisor of ${numExperts} experts`);
      if (chosen > count) return fields.refuse("topk_group", `at most ${count}, as n_group says`);
      return chosen === count ? {} : { router: { ...router, groups: { count, chosen, best } } };
    },
    ({ router }) => ({ n_group: router?.groups?.count ?? 1, topk_group: router?.groups?.chosen ?? 1 }),
  );

/** Shared experts, stored as one feed-forward layer of their total width. */
export const sharedExperts = (name = "n_shared_experts", fallback?: number) =>
  expertsEntry(
    (fields, { hiddenDim: F = 0 }, { hiddenDim = F }) => {
      const count = fields.numberOr(fallback, name);
      if (count === undefined || count === 0) return {};
      return { shared: { hiddenDim: fields.countOr(count, name) * hiddenDim } };
    },
    ({ shared, hiddenDim }, config) => ({
      [name]: (shared?.hiddenDim ?? 0) / (hiddenDim ?? config.hiddenDim),
    }),
  );

/** Number of dense layers (without experts) at the start. */
export const firstDenseLayers = (fallback: number, name = "first_k_dense_replace") =>
  expertsEntry(
    (fields, { numLayers = 0 }) => {
      const dense = fields.number(name, fallback);
      return dense === 0 ? {} : { layers: Array.from({ length: numLayers }, (_, i) => i >= dense) };
    },
    ({ layers }) => ({
      [name]: layers ? (layers.indexOf(true) + layers.length + 1) % (layers.length + 1) : 0,
    }),
  );

/** `mlp_layer_types`, a list of dense and sparse layers. It takes precedence over the number of dense layers. */
export const listedExperts: ConfigEntry = {
  read(fields, { experts, numLayers = 0 }) {
    const list = layerValues(fields, "mlp_layer_types", numLayers, ["dense", "sparse"]);
    if (!list || !experts) return {};
    const { layers: _, ...others } = experts;
    const layers = list.map((type) => type === "sparse");
    return { experts: { ...others, ...(layers.includes(false) && { layers }) } };
  },
  write: ({ experts, numLayers }) => ({
    mlp_layer_types: Array.from({ length: numLayers }, (_, i) =>
      experts?.layers?.[i] === false ? "dense" : "sparse",
    ),
  }),
};

/** Layers with experts: every `decoder_sparse_step`-th layer, except those in `mlp_only_layers`. */
export const sparseLayers = /* @__PURE__ */ expertsEntry(
  (fields, { numLayers = 0 }) => {
    const dense = fields.list("mlp_only_layers") ?? [];
    const step = fields.countOr(1, "decoder_sparse_step");
    const layers = Array.from({ length: numLayers }, (_, i) => !dense.includes(i) && (i + 1) % step === 0);
    return layers.includes(false) ? { layers } : {};
  },
  ({ layers = [] }) => ({
    decoder_sparse_step: 1,
    mlp_only_layers: layers.flatMap((has, i) => (has ? [] : [i])),
  }),
);

/** `layer_types`, where all layers must have full attention. */
export const fullLayers: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    if (!layerTypesField(fields, numLayers)?.includes("sliding")) return {};
    return fields.unsupported("layer_types", "full_attention alone");
  },
  write: () => ({}),
};

/** Entries of DeepSeek V3's experts. Other models use the same fields with other defaults. */
export const deepSeekExperts = (
  fallback: GroupDefaults,
  { experts = "n_routed_experts", shared = "n_shared_experts" } = {},
): readonly ConfigEntry[] => [
  expertCounts(experts, "moe_intermediate_size"),
  topKNormalization(fallback.normalized),
  sigmoidScores,
  expertGroups(2, fallback.groups),
  routedScaling(fallback.scale),
  sharedExperts(shared, 1),
  firstDenseLayers(fallback.dense),
];

/** Defaults of the fields of DeepSeek V3's experts. */
export type GroupDefaults = {
  normalized: boolean;
  scale: number;
  groups: { count: number; chosen: number };
  /** Number of dense layers at the start. */
  dense: number;
};

/** True if a layer has experts. */
export const hasExperts = ({ experts }: DecoderConfig, layer: number): boolean =>
  experts !== undefined && (experts.layers?.[layer] ?? true);

/** Names of the tensors of experts, which differ between models. */
export type ExpertNames = {
  /** Path of the layer. Default `mlp`. */
  path?: string;
  /** Router, relative to `path`. Default `gate`. */
  router?: string;
  /** Correction bias of the router, relative to `path`. Default `gate.e_score_correction_bias`. */
  choiceBias?: string;
  /** Shared expert, relative to `path`. Default `shared_experts`. */
  shared?: string;
  /** Gate of the shared expert, relative to `path`. Default `shared_expert_gate`. */
  sharedGate?: string;
  /** Names of the projections of an expert. */
  maps?: { gate?: string; up: string; down: string };
  /** Entries of all experts. Default: one expert after the other, as `experts.0`. */
  all?: (experts: { numExperts: number; hiddenDim: number }, config: DecoderConfig) => StoredTensor[];
};

/** Tensors of a layer's experts, or of its feed-forward layer if it has no experts. */
export const feedForwardOrExperts =
  (names: ExpertNames = {}) =>
  (config: DecoderConfig, layer: number): readonly StoredTensor[] => {
    const { path = "mlp" } = names;
    return hasExperts(config, layer)
      ? expertLayerTensors(config, names)
      : feedForwardProjections(config, { feedForward: path, ...(names.maps && { maps: names.maps }) });
  };

/** Experts in two tensors, as newer versions of transformers store them: `gate_up_proj` and `down_proj` of all experts. */
export function fusedExperts({ embedDim: C, hiddenDim, experts }: DecoderConfig): StoredTensor[] {
  const { numExperts: E, hiddenDim: F = hiddenDim } = experts!;
  const paramPaths = (maps: readonly string[]) => (expert: number) => maps.map((map) => `${expert}.${map}`);
  return [
    perExpert(E, paramPaths(["gate", "up"]), "gate_up_proj", stacked([F, F]), C),
    perExpert(E, paramPaths(["down"]), "down_proj", stacked([C]), F),
  ];
}

/** Tensors of a layer's router and experts. */
export function expertLayerTensors(config: DecoderConfig, names: ExpertNames = {}): StoredTensor[] {
  const { path = "mlp", router: gate = "gate", shared: sharedName = "shared_experts", maps } = names;
  const { choiceBias = "gate.e_score_correction_bias", sharedGate = "shared_expert_gate" } = names;
  const { embedDim: C, experts } = config;
  const { numExperts, hiddenDim = config.hiddenDim, router, shared } = experts!;
  const at = (name: string) => `${path}.${name}`;
  const expert = (F: number, param: string, name: string) =>
    feedForwardProjections({ ...config, hiddenDim: F }, { feedForward: name, param, ...(maps && { maps }) });
  return [
    linear("feedForward.router", at(gate), [numExperts, C]),
    ...(router?.choiceBias ? [stored("feedForward.router.choiceBias", at(choiceBias), [numExperts])] : []),
    ...(names.all?.({ numExperts, hiddenDim }, config) ?? [
      withAlternative(
        each(numExperts, "feedForward.experts", at("experts"), () => expert(hiddenDim, "", "")),
        under("feedForward.experts", at("experts"), fusedExperts(config)),
        `${at("experts")}.gate_up_proj`,
      ),
    ]),
    ...(shared ? expert(shared.hiddenDim, "feedForward.shared", at(sharedName)) : []),
    ...(shared?.gated ? [linear("feedForward.sharedGate", at(sharedGate), [1, C])] : []),
  ];
}
