import { defineMixer, mixerLayer, type MixerLayer } from "@qkv/attention";
import { broadcastTo, sigmoid, silu, tensor } from "@qkv/tensor";
import type { DecoderConfig, LayerType } from "../models/decoder-config.js";
import type { Architecture } from "./architecture.js";
import { activation, headDim, rope, trait, requireValue, type ConfigEntry } from "./config-entry.js";
import type { ConfigFields } from "./config-fields.js";
import { expertCounts } from "./expert-parts.js";
import { embedding, head, llamaSizes, rmsEps } from "./llama-parts.js";
import { gguf } from "./gguf/gguf-architecture.js";
import { ggufEqualWidth, ggufTopKNormalization, ggufWideExperts } from "./gguf/gguf-experts.js";
import { scaleKey } from "./gguf/gguf-keys.js";
import { attentionTensors } from "./gguf/gguf-tensors.js";
import { isMixer, mixedTypes } from "./mixed-layers.js";
import { rowsByGroup } from "./rows-by-group.js";
import { each, fused, linear, norm, under, type StoredTensor } from "./stored-tensor.js";

/** Lightning attention of a layer. Decay slopes are smaller in later heads and later layers. */
const lightning = (layer: number, numLayers: number) =>
  defineMixer({
    name: `lightning attention of MiniMax, layer ${layer} of ${numLayers}`,
    inputs: { query: "B H T K", key: "B H T K", value: "B H T V" },
    scale: () => 1,
    mix({ inputs, state, scan }) {
      const { shape, dtype, device } = inputs.key;
      const [B, H, T] = shape as [number, number, number, number];
      const share = 1 - layer / (numLayers - 1 + 1e-5) + 1e-5;
      const decays = Array.from({ length: H }, (_, h) => -(2 ** ((-8 * (h + 1)) / H)) * share);
      const decay = broadcastTo(tensor(decays, { shape: [1, H, 1, 1], dtype, device }), [B, H, T, 1]);
      return scan({ ...inputs, decay }, state);
    },
  });

/** `layer_types`: lightning or softmax attention. */
function withLightning(
  { embedDim = 1, numHeads = 1, numLayers = 0, ...config }: Partial<DecoderConfig>,
  types: readonly (LayerType | "mixer")[],
): Pick<DecoderConfig, "layerTypes"> {
  const D = headDim({ embedDim, numHeads, ...config });
  const layer = (i: number) =>
    mixerLayer({
      embedDim,
      numHeads,
      keyDim: D,
      valueDim: D,
      mixer: lightning(i, numLayers),
      inputs: { query: silu, key: silu, value: silu },
      outputNorm: "whole",
      normEps: 1e-6,
      outputGate: sigmoid,
    }) as unknown as MixerLayer;
  return { layerTypes: types.map((type, i) => (type === "mixer" ? (layer(i) as never) : type)) };
}

const lightningLayers: ConfigEntry = {
  read(fields, config) {
    const { numLayers = 0 } = config;
    const types = mixedTypes(fields, numLayers) ?? fields.refuse("layer_types", "the type of each layer");
    return withLightning(config, types);
  },
  write: ({ layerTypes, numLayers }) => ({
    layer_types: Array.from({ length: numLayers }, (_, i) =>
      isMixer(layerTypes?.[i]) ? "linear_attention" : "full_attention",
    ),
  }),
};

/** Lightning or softmax attention of each layer in GGUF files: a list, or an interval of softmax layers. */
const ggufLightning: ConfigEntry = {
  read(fields, config) {
    const { numLayers = 0 } = config;
    const name = "attention.recurrent_layers";
    const period = fields.countOr(8, "full_attention_interval");
    const list = fields.list(name);
    if (list && (list.length !== numLayers || list.some((value) => typeof value !== "boolean")))
      return fields.refuse(name, `a list of ${numLayers}: true for lightning attention`);
    const isLightning = (i: number) => (list ? list[i] === true : (i + 1) % period !== 0);
    return withLightning(
      config,
      Array.from({ length: numLayers }, (_, i) => (isLightning(i) ? "mixer" : "full")),
    );
  },
  write: ({ layerTypes, numLayers }) => ({
    "attention.recurrent_layers": Array.from({ length: numLayers }, (_, i) => isMixer(layerTypes?.[i])),
  }),
};

/** Projections of lightning attention in GGUF files. */
function ggufLightningProjections({ embedDim: C, numHeads: H, ...config }: DecoderConfig): StoredTensor {
  const D = headDim({ embedDim: C, numHeads: H, ...config });
  return under("attention", "", [
    fused(["query", "key", "value"], "attn_qkv", rowsByGroup(H, [D, D, D]), C),
    linear("outputGate", "attn_gate", [H * D, C]),
    norm("outputNorm", "attn_norm_2", H * D),
    linear("output", "attn_output", [C, H * D]),
  ]);
}

/** Residual multipliers alpha (of the normalized input) and beta (of the sublayer output). They are folded into the weights on loading. */
function residualFactors(fields: ConfigFields | undefined, part: string) {
  const factor = (name: string) => fields?.positive(`${part}_${name}_factor`, 1) ?? 1;
  const [alpha, beta] = [factor("alpha"), factor("beta")];
  return { gain: alpha, read: { factors: [1 / alpha, 1 / alpha, 1 / alpha] }, add: { factors: [beta] } };
}

/** MiniMax: lightning and softmax attention, mixture of experts, and residual connections from the normalized input. */
export const miniMax: Architecture = {
  modelTypes: ["minimax"],
  class: "MiniMaxForCausalLM",
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope({ base: 1000000 }),
    expertCounts("num_local_experts"),
    trait({ placement: "normed" }),
    lightningLayers,
    requireValue("sliding_window", null),
    requireValue("hidden_act", "silu"),
  ],
  // llama.cpp uses the model's epsilon for the output norm of lightning attention, where the model uses 1e-6.
  gguf: () => [
    gguf("minimax-01", {
      freeHeads: true,
      partialRotary: true,
      traits: { placement: "normed" },
      keys: [
        ...[ggufWideExperts, ggufEqualWidth, ggufTopKNormalization(true), ggufLightning],
        scaleKey("residualScale", "residual_scale", { inverse: true, always: true }),
      ],
      names: {
        norms: { attentionNorm: "attn_norm", feedForwardNorm: "ffn_norm" },
        attention: (config, layer) =>
          isMixer(config.layerTypes?.[layer])
            ? [ggufLightningProjections(config)]
            : attentionTensors(config, { ropeLayout: "half" }),
      },
    }),
  ],
  tensors(config, tied, fields) {
    const { embedDim: C, hiddenDim: F, numHeads: H, numKvHeads, experts, layerTypes } = config;
    const D = headDim(config);
    const [full, mixer, mlp] = ["full_attn", "linear_attn", "mlp"].map((part) =>
      residualFactors(fields, part),
    ) as [
      ReturnType<typeof residualFactors>,
      ReturnType<typeof residualFactors>,
      ReturnType<typeof residualFactors>,
    ];
    return [
      embedding(config),
      each(config.numLayers, "layers", "model.layers", (i) => {
        const factors = isMixer(layerTypes?.[i]) ? mixer : full;
        return [
          norm("attentionNorm", "input_layernorm", C, { factor: factors.gain }),
          norm("feedForwardNorm", "post_attention_layernorm", C, { factor: mlp.gain }),
          under(
            "attention",
            "self_attn",
            factors === mixer
              ? [
                  fused(["query", "key", "value"], "qkv_proj", rowsByGroup(H, [D, D, D]), C, factors.read),
                  linear("outputGate", "output_gate", [H * D, C], factors.read),
                  norm("outputNorm", "norm", H * D),
                  linear("output", "out_proj", [C, H * D], factors.add),
                ]
              : [
                  linear("query", "q_proj", [H * D, C], factors.read),
                  linear("key", "k_proj", [numKvHeads * D, C], factors.read),
                  linear("value", "v_proj", [numKvHeads * D, C], factors.read),
                  linear("output", "o_proj", [C, H * D], factors.add),
                ],
          ),
          linear("feedForward.router", "block_sparse_moe.gate", [experts!.numExperts, C], mlp.read),
          each(experts!.numExperts, "feedForward.experts", "block_sparse_moe.experts", () => [
            linear("gate", "w1", [F, C], mlp.read),
            linear("up", "w3", [F, C], mlp.read),
            linear("down", "w2", [C, F], mlp.add),
          ]),
        ];
      }),
      norm("norm", "model.norm", C),
      ...(tied ? [] : [head(config)]),
    ];
  },
  ignored: "block_size router_jitter_noise",
  ignoredTensors: /self_attn\.(slope_rate|query_decay|key_decay|diagonal_decay)$/,
};
