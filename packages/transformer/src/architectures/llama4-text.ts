import { stacked } from "../conversions/row-map.js";
import type { Architecture } from "./architecture.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufExperts } from "./gguf/gguf-experts.js";
import { activation, bias, count, rope, trait, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { expertCounts, feedForwardOrExperts, expertsEntry, type ExpertNames } from "./expert-parts.js";
import { layerValues } from "./layer-lists.js";
import { llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { perExpert } from "./stored-tensor.js";

/** Layers with RoPE have chunked attention, the others full attention. In `no_rope_layers`, 1 means that a layer has RoPE. */
const layers: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    const interval = fields.countOr(4, "no_rope_layer_interval");
    const list = fields.list("no_rope_layers") ?? [];
    const hasRope = list.length > 0 ? list : undefined; // an empty list counts as absent
    if (hasRope && (hasRope.length !== numLayers || hasRope.some((flag) => flag !== 0 && flag !== 1)))
      return fields.refuse("no_rope_layers", `a list of ${numLayers} numbers, 1 for a layer that rotates`);
    const ropeLayers = Array.from({ length: numLayers }, (_, i) =>
      hasRope ? hasRope[i] === 1 : (i + 1) % interval !== 0,
    );
    const types = layerValues(fields, "layer_types", numLayers, ["chunked_attention", "full_attention"]);
    const layerTypes = ropeLayers.map((rotates, i) =>
      (types ? types[i] === "chunked_attention" : rotates) ? ("chunked" as const) : ("full" as const),
    );
    const chunkSize = fields.countOr(8192, "attention_chunk_size");
    return {
      ...(ropeLayers.includes(false) && { ropeLayers }),
      ...(layerTypes.includes("chunked") && { layerTypes, chunkSize }),
    };
  },
  write: ({ ropeLayers, layerTypes, chunkSize, numLayers }) => ({
    no_rope_layers: Array.from({ length: numLayers }, (_, i) => ((ropeLayers?.[i] ?? true) ? 1 : 0)),
    layer_types: Array.from({ length: numLayers }, (_, i) =>
      layerTypes?.[i] === "chunked" ? "chunked_attention" : "full_attention",
    ),
    ...(chunkSize !== undefined && { attention_chunk_size: chunkSize }),
  }),
};

/** A flag that some published files state as a number; 0 is false. */
const numericFlag = (fields: ConfigFields, name: string): boolean => {
  try {
    return fields.flag(name, true);
  } catch {
    return fields.number(name) !== 0;
  }
};

/** Norms of queries and keys in layers with RoPE, and query temperature scaling in the others. */
const norms: ConfigEntry = {
  read(fields) {
    const [floorScale, attnScale] = [
      fields.positive("floor_scale", 8192),
      fields.positive("attn_scale", 0.1),
    ];
    return {
      ...(fields.flag("use_qk_norm", true) && { qkNorm: "unit" as const, qkNormPlace: "afterRope" as const }),
      ...(numericFlag(fields, "attn_temperature_tuning") && { queryTemperature: { floorScale, attnScale } }),
    };
  },
  write: ({ qkNorm, queryTemperature }) => ({
    use_qk_norm: qkNorm === "unit",
    attn_temperature_tuning: queryTemperature !== undefined,
    ...(queryTemperature && {
      floor_scale: queryTemperature.floorScale,
      attn_scale: queryTemperature.attnScale,
    }),
  }),
};

/** Layers with experts, from a list or an interval, each with a shared expert. The routing weight multiplies the input of an expert. */
const experts = /* @__PURE__ */ expertsEntry(
  (fields, { numLayers = 0 }, { hiddenDim = 0 }) => {
    const step = fields.countOr(1, "interleave_moe_layer_step");
    const expertLayers = fields.list("moe_layers");
    const layers = Array.from({ length: numLayers }, (_, i) =>
      expertLayers ? expertLayers.includes(i) : (i + 1) % step === 0,
    );
    return {
      ...(layers.includes(false) && { layers }),
      normTopKProb: false,
      router: { scores: "sigmoid", applyWeightOn: "input" },
      shared: { hiddenDim },
    };
  },
  ({ layers }, { numLayers }) => ({
    moe_layers: Array.from({ length: numLayers }, (_, i) => i).filter((i) => layers?.[i] ?? true),
  }),
);

const names: ExpertNames = {
  path: "feed_forward",
  router: "router",
  shared: "shared_expert",
  all({ numExperts, hiddenDim: F }, { embedDim: C }) {
    const param = (maps: readonly string[]) => (expert: number) =>
      maps.map((map) => `feedForward.experts.${expert}.${map}`);
    const path = "feed_forward.experts";
    const layout = { transposed: true };
    return [
      perExpert(numExperts, param(["gate", "up"]), `${path}.gate_up_proj`, stacked([F, F]), C, layout),
      perExpert(numExperts, param(["down"]), `${path}.down_proj`, stacked([C]), F, layout),
    ];
  },
};

/** Layers with experts in a GGUF file, by an interval. The shared expert has the width of the others. */
const ggufLayers = /* @__PURE__ */ expertsEntry(
  (fields, { numLayers = 0, hiddenDim = 0 }, { hiddenDim: width = hiddenDim }) => {
    const step = fields.count("interleave_moe_layer_step");
    const layers = Array.from({ length: numLayers }, (_, i) => (i + 1) % step === 0);
    return {
      ...(layers.includes(false) && { layers }),
      normTopKProb: false,
      router: { scores: "sigmoid", applyWeightOn: "input" },
      shared: { hiddenDim: width },
    };
  },
  ({ layers }) => ({ interleave_moe_layer_step: layers ? layers.indexOf(true) + 1 : 1 }),
);

/** Constants of the published models in llama.cpp's code: three of four layers have RoPE and chunked attention. */
const publishedLayers: ConfigEntry = {
  read(fields, { numLayers = 0, experts }) {
    fields.mustBe("attention.sliding_window", 8192);
    const ropeLayers = Array.from({ length: numLayers }, (_, i) => (i + 1) % 4 !== 0);
    return {
      ...(ropeLayers.includes(false) && { ropeLayers }),
      layerTypes: ropeLayers.map((rotates) => (rotates ? "chunked" : "full")),
      chunkSize: 8192,
      queryTemperature: { floorScale: 8192, attnScale: 0.1 },
      // Maverick, the model with 128 experts, does not have these norms.
      ...(experts?.numExperts !== 128 && { qkNorm: "unit" as const, qkNormPlace: "afterRope" as const }),
    };
  },
  write: () => ({}),
};

/** Llama 4: chunked attention in layers with RoPE, query temperature scaling in layers without, and one routed expert and a shared one per token. */
export const llama4Text: Architecture = {
  modelTypes: ["llama4_text"],
  class: "Llama4ForCausalLM",
  config: () => [
    ...llamaSizes(),
    count("hiddenDim", "intermediate_size_mlp"),
    rmsEps(1e-5),
    activation(),
    rope({ base: 500_000 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    layers,
    norms,
    expertCounts("num_local_experts", "intermediate_size"),
    experts,
    trait({ ropeLayout: "interleaved" }),
  ],
  gguf: () => [
    gguf("llama4", {
      ropeLayout: "interleaved",
      freeHeads: true,
      keys: [ggufExperts, ggufLayers, publishedLayers],
      scalings: ["linear", "yarn", "llama3"],
    }),
  ],
  tensors: (config, tied) => llamaTensors(config, tied, { feed: feedForwardOrExperts(names) }),
  ignored: "router_jitter_noise for_llm_compressor",
};
