import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig, ExpertsConfig } from "../models/decoder-config.js";
import type { ConfigEntry } from "./config-entry.js";
import { layerTypesField, type ConfigFields } from "./config-fields.js";
import { feedForwardMaps } from "./llama-parts.js";
import { alsoAs, each, linear, perExpert, stored, under, type StoredTensor } from "./stored-tensor.js";

/** An entry of the experts of a configuration, beside those that were read before it. */
export const ofExperts = (
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

/** Number of experts, of those that a token uses, and their width, where a file says it apart. */
export const expertCounts = (numExperts: string, hiddenDim?: string, perToken = "num_experts_per_tok") =>
  ofExperts(
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

/** A flag that says if the shares of a token's experts are made to sum to 1. */
export const normalizedShares = (fallback: boolean, name = "norm_topk_prob") =>
  ofExperts(
    (fields) => ({ normTopKProb: fields.flag(name, fallback) }),
    ({ normTopKProb = true }) => ({ [name]: normTopKProb }),
  );

/** Scores by sigmoids, and a bias of the choice. */
export const sigmoidScores = /* @__PURE__ */ ofExperts(
  (_, __, { router }) => ({ router: { ...router, scores: "sigmoid", choiceBias: true } }),
  () => ({}),
);

/** The factor of shares. */
export const sharesScale = (fallback: number, name = "routed_scaling_factor") =>
  ofExperts(
    (fields, _, { router }) => {
      const scale = fields.positive(name, fallback);
      return scale === 1 ? {} : { router: { ...router, scale } };
    },
    ({ router }) => ({ [name]: router?.scale ?? 1 }),
  );

/** Groups of experts, of which a token's are in some; one group, or a choice of all, is none. */
export const expertGroups = (best: 1 | 2, fallback: { count: number; chosen: number }) =>
  ofExperts(
    (fields, _, { router, numExperts }) => {
      const count = fields.countOr(fallback.count, "n_group");
      const chosen = fields.countOr(fallback.chosen, "topk_group");
      if (numExperts % count !== 0) return fields.refuse("n_group", `a divisor of ${numExperts} experts`);
      if (chosen > count) return fields.refuse("topk_group", `at most ${count}, as n_group says`);
      return chosen === count ? {} : { router: { ...router, groups: { count, chosen, best } } };
    },
    ({ router }) => ({ n_group: router?.groups?.count ?? 1, topk_group: router?.groups?.chosen ?? 1 }),
  );

/** Shared experts, as many as counted, which are one as wide as all. */
export const sharedExperts = (name = "n_shared_experts", fallback?: number) =>
  ofExperts(
    (fields, { hiddenDim: F = 0 }, { hiddenDim = F }) => {
      const count = fields.numberOr(fallback, name);
      if (count === undefined || count === 0) return {};
      return { shared: { hiddenDim: fields.countOr(count, name) * hiddenDim } };
    },
    ({ shared, hiddenDim }, config) => ({
      [name]: (shared?.hiddenDim ?? 0) / (hiddenDim ?? config.hiddenDim),
    }),
  );

/** First layers that have no experts, as many as a field counts. */
export const firstDenseLayers = (fallback: number, name = "first_k_dense_replace") =>
  ofExperts(
    (fields, { numLayers = 0 }) => {
      const dense = fields.number(name, fallback);
      return dense === 0 ? {} : { layers: Array.from({ length: numLayers }, (_, i) => i >= dense) };
    },
    ({ layers }) => ({
      [name]: layers ? (layers.indexOf(true) + layers.length + 1) % (layers.length + 1) : 0,
    }),
  );

/** Layers with experts as a file lists them, which goes before a count of the first ones without. */
export const listedExperts: ConfigEntry = {
  read(fields, { experts, numLayers = 0 }) {
    const list = fields.list("mlp_layer_types");
    if (!list || !experts) return {};
    const known = list.length === numLayers && list.every((type) => type === "dense" || type === "sparse");
    if (!known) return fields.refuse("mlp_layer_types", `a list of ${numLayers}, each dense or sparse`);
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

/** Layers with experts: every so many, but those listed. */
export const sparseLayers = /* @__PURE__ */ ofExperts(
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

/** Types of layers that all attend to the whole text. */
export const fullLayers: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    if (!layerTypesField(fields, numLayers)?.includes("sliding")) return {};
    return fields.refuse("layer_types", "full_attention alone");
  },
  write: () => ({}),
};

/** DeepSeek V3's experts, whose fields others took over with values of their own where a file leaves them out. */
export const expertsOfGroups = (
  fallback: GroupDefaults,
  { experts = "n_routed_experts", shared = "n_shared_experts" } = {},
): readonly ConfigEntry[] => [
  expertCounts(experts, "moe_intermediate_size"),
  normalizedShares(fallback.normalized),
  sigmoidScores,
  expertGroups(2, fallback.groups),
  sharesScale(fallback.scale),
  sharedExperts(shared, 1),
  firstDenseLayers(fallback.dense),
];

/** Values of fields of such experts where a file leaves them out. */
export type GroupDefaults = {
  normalized: boolean;
  scale: number;
  groups: { count: number; chosen: number };
  /** First layers that have none. */
  dense: number;
};

/** True for a layer with experts. */
export const hasExperts = ({ experts }: DecoderConfig, layer: number): boolean =>
  experts !== undefined && (experts.layers?.[layer] ?? true);

/** Names in which experts differ. */
export type ExpertNames = {
  /** Path of the layer. Default `mlp`. */
  path?: string;
  /** The router below it. Default `gate`. */
  router?: string;
  /** The bias of a router's choice below it. Default `gate.e_score_correction_bias`. */
  choiceBias?: string;
  /** The shared expert below it. Default `shared_experts`. */
  shared?: string;
  /** The gate of the shared expert below it. Default `shared_expert_gate`. */
  sharedGate?: string;
  /** Names of an expert's maps. */
  maps?: { gate?: string; up: string; down: string };
  /** Entries of all experts. Default: one by one, at `experts.0`. */
  all?: (experts: { numExperts: number; hiddenDim: number }, config: DecoderConfig) => StoredTensor[];
};

/** Tensors of a layer's feed-forward part: of its experts where it has them, else of one layer. */
export const expertsOrMaps =
  (names: ExpertNames = {}) =>
  (config: DecoderConfig, layer: number): readonly StoredTensor[] => {
    const { path = "mlp" } = names;
    return hasExperts(config, layer)
      ? expertMaps(config, names)
      : feedForwardMaps(config, { feedForward: path, ...(names.maps && { maps: names.maps }) });
  };

/** Experts in two tensors, as files of transformers' own form have them: gates and up maps of each, and down maps. */
export function fusedExperts({ embedDim: C, hiddenDim, experts }: DecoderConfig): StoredTensor[] {
  const { numExperts: E, hiddenDim: F = hiddenDim } = experts!;
  const places = (maps: readonly string[]) => (expert: number) => maps.map((one) => `${expert}.${one}`);
  return [
    perExpert(E, places(["gate", "up"]), "gate_up_proj", stacked([F, F]), C),
    perExpert(E, places(["down"]), "down_proj", stacked([C]), F),
  ];
}

/** Tensors of a layer with experts. */
export function expertMaps(config: DecoderConfig, names: ExpertNames = {}): StoredTensor[] {
  const { path = "mlp", router: gate = "gate", shared: sharedName = "shared_experts", maps } = names;
  const { choiceBias = "gate.e_score_correction_bias", sharedGate = "shared_expert_gate" } = names;
  const { embedDim: C, experts } = config;
  const { numExperts, hiddenDim = config.hiddenDim, router, shared } = experts!;
  const at = (name: string) => `${path}.${name}`;
  const expert = (F: number, place: string, name: string) =>
    feedForwardMaps({ ...config, hiddenDim: F }, { feedForward: name, place, ...(maps && { maps }) });
  return [
    linear("feedForward.router", at(gate), [numExperts, C]),
    ...(router?.choiceBias ? [stored("feedForward.router.choiceBias", at(choiceBias), [numExperts])] : []),
    ...(names.all?.({ numExperts, hiddenDim }, config) ?? [
      alsoAs(
        each(numExperts, "feedForward.experts", at("experts"), () => expert(hiddenDim, "", "")),
        under("feedForward.experts", at("experts"), fusedExperts(config)),
        `${at("experts")}.gate_up_proj`,
      ),
    ]),
    ...(shared ? expert(shared.hiddenDim, "feedForward.shared", at(sharedName)) : []),
    ...(shared?.gated ? [linear("feedForward.sharedGate", at(sharedGate), [1, C])] : []),
  ];
}
