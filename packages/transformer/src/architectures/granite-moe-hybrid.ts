import { stacked } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, bias, rope, type ConfigEntry } from "./config-entry.js";
import { gguf, type GgufArchitecture } from "./gguf/gguf-architecture.js";
import {
  ggufSharedWidth,
  ggufTopKNormalization,
  ggufWideExperts,
  optionalExperts,
} from "./gguf/gguf-experts.js";
import { headLengths, rotary } from "./gguf/gguf-keys.js";
import { mixersWithoutHeads } from "./gguf/gguf-layers.js";
import { refuseOtherInnerWidth } from "./gguf/gguf-mamba.js";
import { ggufMamba2Tensors, mamba2Keys } from "./gguf/gguf-mamba2.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { ggufScales, graniteScales } from "./granite.js";
import { attentionProjections, llamaSizes, llamaTensors, rmsEps } from "./llama-parts.js";
import { hybridNames, mamba2Fields, mamba2Layer, mamba2Tensors } from "./mamba2-parts.js";
import { isMixer, mixedTypes, mixerConfig } from "./mixed-layers.js";
import { fused, linear, perExpert, type StoredTensor } from "./stored-tensor.js";

/** `layer_types`: Mamba-2 or attention. */
const mambaLayers: ConfigEntry = {
  read(fields, { embedDim = 1, numLayers = 0, normEps = 1e-6 }) {
    const types = mixedTypes(fields, numLayers) ?? mixedTypes(fields, numLayers, "layers_block_type");
    if (!types?.includes("mixer")) return {};
    const layer = mamba2Layer(fields, hybridNames, { embedDim, normEps, outputNorm: "whole" });
    return { layerTypes: types.map((type) => (type === "mixer" ? layer : type)) as never };
  },
  write: (config) => ({
    ...mamba2Fields(mixerConfig(config), hybridNames),
    layer_types: Array.from({ length: config.numLayers }, (_, i) =>
      isMixer(config.layerTypes?.[i]) ? "mamba" : "attention",
    ),
  }),
};

/** `position_embedding_type`: `rope`, or no positions (NoPE). */
const positions: ConfigEntry = {
  read(fields, config) {
    const rotary = rope().read(fields, config);
    const kind = fields.has("position_embedding_type") ? fields.text("position_embedding_type") : "nope";
    if (kind === "rope") return rotary;
    return kind === "nope"
      ? { positions: "none" }
      : fields.unsupported("position_embedding_type", '"rope" or "nope"');
  },
  write: (config) =>
    config.positions === "none"
      ? { position_embedding_type: "nope" }
      : { position_embedding_type: "rope", ...rope().write(config) },
};

/** Experts and a shared expert. Without experts, the shared one is the feed-forward layer. */
const experts: ConfigEntry = {
  read(fields, { hiddenDim = 1 }) {
    const shared = fields.countOr(1024, "shared_intermediate_size");
    const count = fields.number("num_local_experts", 8);
    const expertsPerToken = fields.countOr(2, "num_experts_per_tok");
    if (count === 0) return { hiddenDim: shared };
    return {
      experts: {
        numExperts: fields.count("num_local_experts"),
        expertsPerToken,
        hiddenDim,
        shared: { hiddenDim: shared },
      },
    };
  },
  write: ({ experts, hiddenDim }) =>
    experts
      ? {
          num_local_experts: experts.numExperts,
          num_experts_per_tok: experts.expertsPerToken,
          intermediate_size: experts.hiddenDim ?? hiddenDim,
          shared_intermediate_size: experts.shared?.hiddenDim,
        }
      : { num_local_experts: 0, shared_intermediate_size: hiddenDim },
};

/** Tensors of the experts and the shared expert, or of the feed-forward layer. */
export const graniteFeed = (config: DecoderConfig): StoredTensor[] => {
  const { embedDim: C, experts } = config;
  const shared = experts ? "feedForward.shared" : "feedForward";
  const width = experts?.shared?.hiddenDim ?? config.hiddenDim;
  const sharedTensors =
    experts && !experts.shared
      ? []
      : [
          fused([`${shared}.gate`, `${shared}.up`], "shared_mlp.input_linear", stacked([width, width]), C),
          linear(`${shared}.down`, "shared_mlp.output_linear", [C, width]),
        ];
  if (!experts) return sharedTensors;
  const { numExperts, hiddenDim: F = config.hiddenDim } = experts;
  const expertTensors = (maps: readonly string[], name: string, sizes: readonly number[], inner: number) =>
    perExpert(
      numExperts,
      (expert) => maps.map((map) => `feedForward.experts.${expert}.${map}`),
      `block_sparse_moe.${name}.weight`,
      stacked(sizes),
      inner,
    );
  return [
    linear("feedForward.router", "block_sparse_moe.router.layer", [numExperts, C]),
    expertTensors(["gate", "up"], "input_linear", [F, F], C),
    expertTensors(["down"], "output_linear", [C], F),
    ...sharedTensors,
  ];
};

/** RoPE, unless a key states otherwise. */
const ggufPositions: ConfigEntry = {
  read(fields, config) {
    const isRotary = fields.flag("rope.scaling.finetuned", true);
    return isRotary ? { positions: "rotary", ropeLayout: "interleaved", ...rotary.read(fields, config) } : {};
  },
  write: (config) => ({
    "rope.scaling.finetuned": config.positions === "rotary",
    ...(config.positions === "rotary" && rotary.write(config)),
  }),
};

/** Granite 4 and Bamba in llama.cpp, whose Mamba-2 mixers have twice the model width. */
export const ggufGraniteHybrid = (): readonly GgufArchitecture[] => [
  gguf("granitehybrid", {
    freeHeads: true,
    partialRotary: true,
    ropeLayout: "interleaved",
    traits: { positions: "none" },
    heads: [headLengths],
    keys: [
      ggufPositions,
      ...ggufScales(),
      ...[ggufWideExperts, ggufSharedWidth(), ggufTopKNormalization(true)].map((entry) =>
        optionalExperts(entry),
      ),
      mixersWithoutHeads(mamba2Keys()),
    ],
    biases: { queryKeyValue: "either", attentionOutput: "either", feedForward: "either" },
    refuses: refuseOtherInnerWidth,
    names: {
      attention: (config, layer) =>
        isMixer(config.layerTypes?.[layer])
          ? [ggufMamba2Tensors(mixerConfig(config)!)]
          : attentionTensors(config, { ropeLayout: "interleaved" }),
    },
  }),
];

/** Granite 4: Mamba-2 and attention, experts and a shared expert, and Granite's multipliers. */
export const graniteMoeHybrid: Architecture = {
  modelTypes: ["granitemoehybrid"],
  class: "GraniteMoeHybridForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(),
    activation(),
    positions,
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    ...graniteScales(),
    experts,
    mambaLayers,
  ],
  gguf: ggufGraniteHybrid,
  tensors: (config, tied) =>
    llamaTensors(config, tied, {
      attention: (config, layer) =>
        isMixer(config.layerTypes?.[layer])
          ? [mamba2Tensors(mixerConfig(config)!, ["attention", "mamba"])]
          : attentionProjections(config),
      feed: graniteFeed,
    }),
  ignored:
    "mamba_expand mamba_chunk_size time_step_min time_step_max time_step_floor normalization_function init_method embedding_dropout",
};
