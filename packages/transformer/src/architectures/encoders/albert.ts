import { activationField } from "../config-fields.js";
import { each, linear } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import {
  bertEmbeddings,
  bertSizes,
  checkBertFields,
  encoderLayer,
  bertIgnored,
  typeCount,
} from "./encoder-parts.js";

/** ALBERT: layers share weights, and embeddings are narrower than the model (factorized). */
export const albert: EncoderArchitecture = {
  modelTypes: ["albert"],
  prefixes: ["albert."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields) {
    checkBertFields(fields);
    fields.mustBe("inner_group_num", 1);
    const sizes = bertSizes(fields);
    const { embedDim: C, numLayers } = sizes;
    const rank = fields.countOr(128, "embedding_size");
    const layerGroups = fields.countOr(1, "num_hidden_groups");
    if (numLayers % layerGroups !== 0)
      fields.refuse("num_hidden_groups", `a divisor of num_hidden_layers = ${numLayers}`);
    const config = {
      ...sizes,
      activation: activationField(fields, "hidden_act", "gelu_new"),
      numTypes: typeCount(fields),
      embeddingRank: rank,
      layerGroups,
    };
    return {
      config,
      tensors: [
        ...bertEmbeddings(config),
        linear("embeddingProjection", "encoder.embedding_hidden_mapping_in", [C, rank], { bias: true }),
        each(layerGroups, "layers", "encoder.albert_layer_groups", () =>
          encoderLayer(config, {
            query: "albert_layers.0.attention.query",
            key: "albert_layers.0.attention.key",
            value: "albert_layers.0.attention.value",
            output: "albert_layers.0.attention.dense",
            attentionNorm: "albert_layers.0.attention.LayerNorm",
            up: "albert_layers.0.ffn",
            down: "albert_layers.0.ffn_output",
            feedForwardNorm: "albert_layers.0.full_layer_layer_norm",
          }),
        ),
      ],
    };
  },
  heads: (path) => ({
    maskedToken: {
      dense: "predictions.dense",
      norm: "predictions.LayerNorm",
      biases: ["predictions.bias", "predictions.decoder.bias"],
    },
    pooler: { dense: `${path}pooler`, activation: "tanh" },
    sequence: { dense: `${path}pooler`, activation: "tanh", output: "classifier" },
    token: { output: "classifier" },
    span: { output: "qa_outputs" },
  }),
  ignored: [
    bertIgnored,
    "classifier_dropout_prob down_scale_factor gap_size net_structure_type num_memory_blocks",
  ],
  ignoredTensors:
    /position_ids$|pooler\.(weight|bias)$|^predictions\.(decoder\.|bias$)|^sop_classifier\.|^classifier\./,
};
