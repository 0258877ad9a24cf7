import type { HybridLayer } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, factor, headDim, rope, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufMamba2Tensors, mamba2Keys } from "./gguf/gguf-mamba2.js";
import { layersWith, presence } from "./gguf/gguf-presence.js";
import { embedding, head, layerNorms, llamaSizes, rmsEps } from "./llama-parts.js";
import { hybridNames, mamba2Fields, mamba2Layer, mamba2Tensors, type Mamba2Names } from "./mamba2-parts.js";
import { mixerConfig } from "./mixed-layers.js";
import { each, linear, norm, stored, under } from "./stored-tensor.js";

const mambaNames: Mamba2Names = { ...hybridNames, outputBias: "projectors_bias" };

/** Attention and Mamba-2 in parallel in all layers. `mamba_rms_norm`: the output of the mixer has a norm in addition to the gate. */
const hybridLayers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0, normEps = 1e-5 }) {
    const hasNorm = fields.flag("mamba_rms_norm", false);
    const normFirst = fields.flag("mamba_norm_before_gate", true);
    const layer = mamba2Layer(fields, mambaNames, {
      embedDim,
      normEps,
      outputNorm: hasNorm ? "group" : "none",
      // Without a norm, the order of norm and gate has no effect.
      gatePlace: normFirst || !hasNorm ? "afterNorm" : "beforeNorm",
    });
    const { numHeads, valueDim = 1 } = layer.config;
    fields.mustEqual("mamba_d_ssm", numHeads * valueDim);
    const mixed: HybridLayer = { attention: "full", mixer: layer as never };
    return { layerTypes: new Array<HybridLayer>(numLayers).fill(mixed) };
  },
  write(config) {
    const mixer = mixerConfig(config);
    return {
      ...mamba2Fields(mixer, mambaNames),
      ...(mixer && {
        mamba_d_ssm: mixer.numHeads * (mixer.valueDim ?? 1),
        mamba_rms_norm: mixer.outputNorm !== "none",
        mamba_norm_before_gate: mixer.gatePlace === "afterNorm",
      }),
    };
  },
};

/** Multipliers of projections, default 1. They are folded into the weights on loading. */
function multipliers(fields: ConfigFields | undefined) {
  const multiplier = (name: string) => fields?.positiveOr(1, name) ?? 1;
  const list = (name: string, length: number): readonly number[] => {
    const values = fields?.list(name) ?? new Array<number>(length).fill(1);
    const areNumbers = values.length === length && values.every((x) => typeof x === "number");
    return areNumbers ? (values as number[]) : fields!.refuse(name, `a list of ${length} numbers`);
  };
  const [gate, down] = list("mlp_multipliers", 2) as [number, number];
  const input = multiplier("ssm_in_multiplier");
  const parts = list("ssm_multipliers", 5);
  return {
    attention: multiplier("attention_in_multiplier"),
    attentionOutput: multiplier("attention_out_multiplier"),
    key: multiplier("key_multiplier"),
    // Order in the file: gate, value, B, C, time step.
    mixer: { inner: parts.map((x) => x * input), bias: parts, output: multiplier("ssm_out_multiplier") },
    gate,
    down,
  };
}

/** Mixers parallel to attention in llama.cpp. They have a norm after the gate if the file has its gain. */
const ggufKeys = /* @__PURE__ */ mamba2Keys((_, fields) =>
  layersWith(fields, "ssm_norm").has(0)
    ? { outputNorm: "group", gatePlace: "beforeNorm" }
    : { outputNorm: "none", gatePlace: "afterNorm" },
);

const ggufLayers: ConfigEntry = {
  read(fields, config) {
    const layer: HybridLayer = { attention: "full", mixer: ggufKeys.read(fields, config) as never };
    return { layerTypes: new Array<HybridLayer>(config.numLayers ?? 0).fill(layer) };
  },
  write(config) {
    const mixer = mixerConfig(config);
    if (!mixer) return {};
    const layers = Array.from({ length: config.numLayers }, (_, i) => i);
    return {
      ...ggufKeys.write(mixer),
      [presence("ssm_norm")]: mixer.outputNorm === "none" ? [] : layers,
    };
  },
};

/** Falcon-H1: attention and Mamba-2 in parallel in each layer. */
export const falconH1: Architecture = {
  modelTypes: ["falcon_h1"],
  class: "FalconH1ForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope({ base: 100000 }),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    bias("mlp_bias", ["feedForward"]),
    factor("embeddingScale", "embedding_multiplier"),
    factor("logitScale", "lm_head_multiplier"),
    hybridLayers,
  ],
  gguf: () => [
    gguf("falcon-h1", {
      freeHeads: true,
      presence: ["ssm_norm"],
      keys: [ggufLayers],
      biases: { queryKeyValue: "either", feedForward: "either" },
      names: {
        scaledTables: true,
        norms: { attentionNorm: "attn_norm" },
        more: (config) => [
          // This tensor's name has no `.weight`.
          stored("feedForwardNorm.weight", "ffn_norm", [config.embedDim]),
          ggufMamba2Tensors(mixerConfig(config)!, "attention.mixer"),
        ],
      },
    }),
  ],
  tensors(config, tied, fields) {
    const { embedDim: C, hiddenDim: F, numHeads, numKvHeads } = config;
    const D = headDim(config);
    const factors = multipliers(fields);
    const norms = { attentionNorm: "input_layernorm", feedForwardNorm: "pre_ff_layernorm" };
    return [
      embedding(config),
      each(config.numLayers, "layers", "model.layers", () => [
        ...layerNorms(config, { norms }),
        under("attention", "self_attn", [
          linear("query", "q_proj", [numHeads * D, C], { factors: [factors.attention] }),
          linear("key", "k_proj", [numKvHeads * D, C], {
            factors: [factors.attention * factors.key],
            biasFactors: [factors.key],
          }),
          linear("value", "v_proj", [numKvHeads * D, C], { factors: [factors.attention] }),
          linear("output", "o_proj", [C, numHeads * D], scaled(factors.attentionOutput)),
        ]),
        mamba2Tensors(mixerConfig(config)!, ["attention.mixer", "mamba"], factors.mixer),
        under("feedForward", "feed_forward", [
          linear("gate", "gate_proj", [F, C], scaled(factors.gate)),
          linear("up", "up_proj", [F, C]),
          linear("down", "down_proj", [C, F], scaled(factors.down)),
        ]),
      ]),
      norm("norm", "model.final_layernorm", C),
      ...(tied ? [] : [head(config)]),
    ];
  },
  ignored:
    "mamba_expand mamba_chunk_size mamba_use_mlp num_logits_to_keep time_step_min time_step_max time_step_floor attn_layer_indices",
};

/** Multiplier of a projection and its bias. */
const scaled = (factor: number) => ({ factors: [factor], biasFactors: [factor] });
