import { each, linear } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import {
  bertEmbeddings,
  bertLayerNames,
  bertSizes,
  checkBertFields,
  encoderLayer,
  bertIgnored,
  typeCount,
} from "./encoder-parts.js";

/** ELECTRA: BERT with embeddings that may be narrower than the layers. */
export const electra: EncoderArchitecture = {
  modelTypes: ["electra"],
  prefixes: ["electra."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields) {
    checkBertFields(fields);
    const sizes = bertSizes(fields);
    const rank = fields.countOr(128, "embedding_size");
    const { embedDim: C } = sizes;
    const config = {
      ...sizes,
      numTypes: typeCount(fields),
      ...(rank !== C && { embeddingRank: rank }),
    };
    return {
      config,
      tensors: [
        ...bertEmbeddings(config),
        ...(rank === C
          ? []
          : [linear("embeddingProjection", "embeddings_project", [C, rank], { bias: true })]),
        each(config.numLayers, "layers", "encoder.layer", () => encoderLayer(config, bertLayerNames)),
      ],
    };
  },
  heads: () => ({
    maskedToken: {
      dense: "generator_predictions.dense",
      norm: "generator_predictions.LayerNorm",
      biases: ["generator_lm_head.bias"],
    },
    sequence: { dense: "classifier.dense", activation: "gelu", output: "classifier.out_proj" },
    token: { output: "classifier" },
    span: { output: "qa_outputs" },
  }),
  ignored: [bertIgnored, "summary_activation summary_last_dropout summary_type summary_use_proj"],
  // The head of the discriminator, which detects replaced tokens, is used in pretraining only.
  ignoredTensors: /position_ids$|^discriminator_predictions\.|^generator_lm_head\.weight$|^classifier\./,
};
