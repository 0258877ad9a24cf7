import type { LayerStackConfig } from "../../models/layer-stack.js";
import type { SpeechToTextConfig } from "../../models/speech-to-text.js";
import { activationField, activationNames, stopIdsField, type ConfigFields } from "../config-fields.js";
import { layerCount } from "../encoders/encoder-parts.js";
import { each, linear, norm, stored, type StoredTensor } from "../stored-tensor.js";
import type { SpeechArchitecture } from "./speech-architecture.js";

const biased = { bias: true };

/** Whisper: log-mel features, two convolutions, pre-norm, position embeddings in encoder and decoder. */
export const whisper: SpeechArchitecture = {
  modelTypes: ["whisper"],
  prefixes: ["model."],
  embeddingName: "decoder.embed_tokens.weight",
  read(fields) {
    fields.mustBe("tie_word_embeddings", true);
    fields.mustBe("scale_embedding", false);
    const [encoder, decoder] = [stackConfig(fields, "encoder"), stackConfig(fields, "decoder")];
    const { embedDim: C } = decoder;
    const mels = fields.count("num_mel_bins");
    const length = fields.count("max_source_positions");
    const config: SpeechToTextConfig = {
      ...decoder,
      vocabSize: fields.count("vocab_size"),
      contextLength: fields.count("max_target_positions"),
      startIds: [fields.number("decoder_start_token_id")],
      stopIds: stopIdsField(fields),
      encoder: {
        ...encoder,
        contextLength: length,
        inputChannels: mels,
        convolutions: [
          { channels: C, kernelSize: 3, padding: 1, activation: "gelu" },
          { channels: C, kernelSize: 3, padding: 1, stride: 2, activation: "gelu" },
        ],
      },
    };
    return {
      config,
      tensors: [
        stored("embedding.weight", "decoder.embed_tokens.weight", [config.vocabSize, C], "table"),
        convolution(0, "encoder.conv1", [C, mels]),
        convolution(1, "encoder.conv2", [C, C]),
        stored("encoder.positions.weight", "encoder.embed_positions.weight", [length, C]),
        stored("decoder.positions.weight", "decoder.embed_positions.weight", [config.contextLength, C]),
        each(encoder.numLayers, "encoder.layers", "encoder.layers", () => layer(C, encoder.hiddenDim, false)),
        each(decoder.numLayers, "decoder.layers", "decoder.layers", () => layer(C, decoder.hiddenDim, true)),
        norm("encoder.norm", "encoder.layer_norm", C, biased),
        norm("decoder.norm", "decoder.layer_norm", C, biased),
      ].flat(),
      features: {
        feature_extractor_type: "WhisperFeatureExtractor",
        feature_size: mels,
        // Two frames of 10 ms per position.
        chunk_length: (2 * length) / 100,
      },
    };
  },
  write: ({ encoder, startIds, stopIds, ...decoder }) => ({
    ...stackFields(encoder, "encoder"),
    ...stackFields(decoder, "decoder"),
    d_model: decoder.embedDim,
    vocab_size: decoder.vocabSize,
    num_mel_bins: encoder.inputChannels,
    max_source_positions: encoder.contextLength,
    max_target_positions: decoder.contextLength,
    activation_function: activationNames[decoder.activation ?? "gelu"],
    scale_embedding: false,
    decoder_start_token_id: startIds[0],
    eos_token_id: stopIds.length === 1 ? stopIds[0] : stopIds,
    // The padding token is the end token.
    pad_token_id: stopIds[0],
  }),
  class: "WhisperForConditionalGeneration",
  ignored: [
    "activation_dropout dropout encoder_layerdrop decoder_layerdrop init_std apply_spec_augment num_hidden_layers",
    "mask_time_prob mask_time_length mask_time_min_masks mask_feature_prob mask_feature_length mask_feature_min_masks",
    // Of the audio classification head, and of word timestamps.
    "use_weighted_layer_sum classifier_proj_size median_filter_width",
    // Generation settings, which are read from `generation_config.json`.
    "forced_decoder_ids",
  ],
  ignoredTensors: /^proj_out\.weight$/,
};

/** The configuration of the encoder or the decoder, without convolutions and vocabulary. */
function stackConfig(fields: ConfigFields, stack: "encoder" | "decoder") {
  return {
    embedDim: fields.count("d_model"),
    hiddenDim: fields.count(`${stack}_ffn_dim`),
    numLayers: layerCount(fields, `${stack}_layers`),
    numHeads: fields.count(`${stack}_attention_heads`),
    activation: activationField(fields, "activation_function", "gelu"),
    placement: "pre",
  } as const;
}

/** Writes the fields of the encoder or the decoder. */
const stackFields = ({ numLayers, numHeads, hiddenDim }: LayerStackConfig, stack: "encoder" | "decoder") => ({
  [`${stack}_layers`]: numLayers,
  [`${stack}_attention_heads`]: numHeads,
  [`${stack}_ffn_dim`]: hiddenDim,
});

const convolution = (
  i: number,
  name: string,
  [out, inner]: readonly [out: number, inner: number],
): StoredTensor[] => [
  stored(`encoder.convolutions.${i}.weight`, `${name}.weight`, [out, inner, 3]),
  stored(`encoder.convolutions.${i}.bias`, `${name}.bias`, [out]),
];

function layer(C: number, F: number, isDecoder: boolean): StoredTensor[] {
  const attention = (param: string, name: string, normName: string) => [
    linear(`${param}.query`, `${name}.q_proj`, [C, C], biased),
    linear(`${param}.key`, `${name}.k_proj`, [C, C]),
    linear(`${param}.value`, `${name}.v_proj`, [C, C], biased),
    linear(`${param}.output`, `${name}.out_proj`, [C, C], biased),
    norm(`${param}Norm`, normName, C, biased),
  ];
  return [
    ...attention("attention", "self_attn", "self_attn_layer_norm"),
    ...(isDecoder ? attention("crossAttention", "encoder_attn", "encoder_attn_layer_norm") : []),
    linear("feedForward.up", "fc1", [F, C], biased),
    linear("feedForward.down", "fc2", [C, F], biased),
    norm("feedForwardNorm", "final_layer_norm", C, biased),
  ];
}
