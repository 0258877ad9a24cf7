import { stacked } from "../../conversions/row-map.js";
import type { LayerStackConfig } from "../../models/layer-stack.js";
import type { SpeechToTextConfig } from "../../models/speech-to-text.js";
import {
  activationField,
  activationNames,
  ropeFields,
  stopIdsField,
  type ConfigFields,
} from "../config-fields.js";
import { layerCount } from "../encoders/encoder-parts.js";
import { each, fused, linear, norm, stored, type StoredTensor } from "../stored-tensor.js";
import type { SpeechArchitecture } from "./speech-architecture.js";

const biased = { bias: true };
/** Kernel sizes of the three convolutions over the waveform. */
const [firstKernel, secondKernel, thirdKernel] = [127, 7, 3];

/** Moonshine: convolutions over the waveform, RoPE, and gated feed-forward layers in the decoder only. */
export const moonshine: SpeechArchitecture = {
  modelTypes: ["moonshine"],
  prefixes: ["model."],
  embeddingName: "decoder.embed_tokens.weight",
  read(fields) {
    fields.mustBe("attention_bias", false);
    fields.mustBe("tie_word_embeddings", true);
    const [encoder, decoder] = [stackConfig(fields, "encoder"), stackConfig(fields, "decoder")];
    const { embedDim: C, hiddenDim: F } = decoder;
    const vocabSize = fields.count("vocab_size");
    const config: SpeechToTextConfig = {
      ...decoder,
      vocabSize,
      gated: true,
      startIds: [fields.number("decoder_start_token_id", 1)],
      stopIds: stopIdsField(fields),
      encoder: {
        ...encoder,
        inputChannels: 1,
        convolutions: [
          {
            channels: C,
            kernelSize: firstKernel,
            stride: 64,
            activation: "tanh",
            groupNorm: true,
            bias: false,
          },
          { channels: 2 * C, kernelSize: secondKernel, stride: 3, activation: "gelu" },
          { channels: C, kernelSize: thirdKernel, stride: 2, activation: "gelu" },
        ],
      },
    };
    return {
      config,
      tensors: [
        stored("embedding.weight", "decoder.embed_tokens.weight", [vocabSize, C], "table"),
        stored("encoder.convolutions.0.weight", "encoder.conv1.weight", [C, 1, firstKernel]),
        norm("encoder.convolutions.0.norm", "encoder.groupnorm", C, biased),
        ...convolution(1, "encoder.conv2", [2 * C, C, secondKernel]),
        ...convolution(2, "encoder.conv3", [C, 2 * C, thirdKernel]),
        each(encoder.numLayers, "encoder.layers", "encoder.layers", () => [
          ...attention("attention", "self_attn", "input_layernorm", C),
          linear("feedForward.up", "mlp.fc1", [F, C], biased),
          linear("feedForward.down", "mlp.fc2", [C, F], biased),
          norm("feedForwardNorm", "post_attention_layernorm", C),
        ]),
        each(decoder.numLayers, "decoder.layers", "decoder.layers", () => [
          ...attention("attention", "self_attn", "input_layernorm", C),
          ...attention("crossAttention", "encoder_attn", "post_attention_layernorm", C),
          fused(["feedForward.up", "feedForward.gate"], "mlp.fc1", stacked([F, F]), C, biased),
          linear("feedForward.down", "mlp.fc2", [C, F], biased),
          norm("feedForwardNorm", "final_layernorm", C),
        ]),
        norm("encoder.norm", "encoder.layer_norm", C),
        norm("decoder.norm", "decoder.norm", C),
      ],
      features: { feature_extractor_type: "Wav2Vec2FeatureExtractor", do_normalize: false },
    };
  },
  write: ({ encoder, startIds, stopIds, ...decoder }) => ({
    ...stackFields(encoder, "encoder"),
    ...stackFields(decoder, "decoder"),
    ...rotaryFields(decoder),
    hidden_size: decoder.embedDim,
    intermediate_size: decoder.hiddenDim,
    vocab_size: decoder.vocabSize,
    max_position_embeddings: decoder.contextLength,
    attention_bias: false,
    decoder_start_token_id: startIds[0],
    eos_token_id: stopIds.length === 1 ? stopIds[0] : stopIds,
    pad_token_id: stopIds[0],
  }),
  class: "MoonshineForConditionalGeneration",
  ignored: [
    "pad_head_dim_to_multiple_of min_positions ffn_dim head_dim num_hidden_layers num_attention_heads num_key_value_heads hidden_act",
  ],
  ignoredTensors: /^proj_out\.weight$/,
};

/** The configuration of the encoder or the decoder, without convolutions and vocabulary. */
function stackConfig(fields: ConfigFields, stack: "encoder" | "decoder"): LayerStackConfig {
  const [C, H] = [fields.count("hidden_size"), fields.count(`${stack}_num_attention_heads`)];
  fields.mustEqual(`${stack}_num_key_value_heads`, H);
  const headDim = C / H;
  const ropeParameters = fields.nested("rope_parameters");
  const share =
    ropeParameters?.positiveOr(undefined, "partial_rotary_factor") ??
    fields.positive("partial_rotary_factor", 0.9);
  fields.mustEqual("partial_rotary_factor", share);
  const { ropeBase, ropeScaling } = ropeFields(fields);
  if (ropeScaling) fields.unsupported("rope_scaling", "nothing: no scaling is known in Moonshine");
  // An odd number of rotated dimensions determines the frequencies; the last pair is rotated too.
  const odd = Math.floor(headDim * share);
  const dim = odd + (odd % 2);
  return {
    embedDim: C,
    hiddenDim: fields.count("intermediate_size"),
    numLayers: layerCount(fields, `${stack}_num_hidden_layers`),
    numHeads: H,
    contextLength: fields.count("max_position_embeddings"),
    activation: activationField(fields, `${stack}_hidden_act`, stack === "encoder" ? "gelu" : "silu"),
    placement: "pre",
    bias: false,
    positions: "rotary",
    rope: { base: ropeBase ** (dim / odd), dim, layout: "interleaved" },
  };
}

/** Writes the fields of the encoder or the decoder. */
const stackFields = (
  { numLayers, numHeads, activation = "gelu" }: LayerStackConfig,
  stack: "encoder" | "decoder",
) => ({
  [`${stack}_num_hidden_layers`]: numLayers,
  [`${stack}_num_attention_heads`]: numHeads,
  [`${stack}_num_key_value_heads`]: numHeads,
  [`${stack}_hidden_act`]: activationNames[activation],
});

/** Writes the rotary factor and base that {@link stackConfig} reads: of the factors for an even and an odd number of dimensions, the one with an integer base. */
function rotaryFields({ embedDim, numHeads, rope }: LayerStackConfig) {
  const D = embedDim / numHeads;
  const { base = 10000, dim = D } = rope ?? {};
  const [even, odd] = [dim, dim - 1].map((rotated) => {
    const theta = base ** (rotated / dim);
    const rounded = Math.round(theta);
    return { rotated, theta: Math.abs(theta - rounded) < 1e-6 * theta ? rounded : theta };
  }) as [{ rotated: number; theta: number }, { rotated: number; theta: number }];
  const { rotated, theta } = Number.isInteger(even.theta) || !Number.isInteger(odd.theta) ? even : odd;
  // The shortest decimal that rounds down to this number of dimensions.
  const digits = Array.from(
    { length: 15 },
    (_, i) => Math.ceil((rotated / D) * 10 ** (i + 1)) / 10 ** (i + 1),
  );
  const share = digits.find((share) => Math.floor(D * share) === rotated) ?? rotated / D;
  return { partial_rotary_factor: share, rope_theta: theta };
}

const convolution = (i: number, name: string, shape: readonly [number, number, number]): StoredTensor[] => [
  stored(`encoder.convolutions.${i}.weight`, `${name}.weight`, shape),
  stored(`encoder.convolutions.${i}.bias`, `${name}.bias`, [shape[0]]),
];

const attention = (param: string, name: string, normName: string, C: number): StoredTensor[] => [
  linear(`${param}.query`, `${name}.q_proj`, [C, C]),
  linear(`${param}.key`, `${name}.k_proj`, [C, C]),
  linear(`${param}.value`, `${name}.v_proj`, [C, C]),
  linear(`${param}.output`, `${name}.o_proj`, [C, C]),
  norm(`${param}Norm`, normName, C),
];
