import { each } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import {
  bertEmbeddings,
  bertLayerNames,
  bertSizes,
  checkBertFields,
  encoderLayer,
  firstPosition,
  bertIgnored,
  typeCount,
} from "./encoder-parts.js";
import { jinaBertIgnored, jinaBert } from "./jina-bert.js";

/** Tensors of BERT and RoBERTa that are not needed, or that belong to heads. */
export const bertIgnoredTensors =
  /position_ids$|pooler\.|^cls\.seq_relationship\.|^cls\.predictions\.decoder\.|^lm_head\.(decoder\.|bias$)|^classifier\./;

/** BERT, and RoBERTa and related models, whose positions start after the id of the padding token. */
export const bert: EncoderArchitecture = {
  modelTypes: ["bert", "roberta", "xlm-roberta", "camembert", "data2vec-text"],
  prefixes: ["bert.", "roberta.", "data2vec_text."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields, type) {
    const isJina = type === "bert" && fields.text("position_embedding_type", "absolute") === "alibi";
    if (isJina) return jinaBert(fields);
    checkBertFields(fields);
    const first = type === "bert" ? 0 : firstPosition(fields);
    const sizes = bertSizes(fields);
    const config = {
      ...sizes,
      contextLength: sizes.contextLength - first,
      numTypes: typeCount(fields),
    };
    return {
      config,
      tensors: [
        ...bertEmbeddings(config, first),
        each(config.numLayers, "layers", "encoder.layer", () => encoderLayer(config, bertLayerNames)),
      ],
    };
  },
  heads: (path, type) => ({
    maskedToken:
      type === "bert"
        ? {
            dense: "cls.predictions.transform.dense",
            norm: "cls.predictions.transform.LayerNorm",
            biases: ["cls.predictions.bias", "cls.predictions.decoder.bias"],
          }
        : {
            dense: "lm_head.dense",
            norm: "lm_head.layer_norm",
            biases: ["lm_head.bias", "lm_head.decoder.bias"],
          },
    pooler: { dense: `${path}pooler.dense`, activation: "tanh" },
    sequence:
      type === "bert"
        ? { dense: `${path}pooler.dense`, activation: "tanh", output: "classifier" }
        : { dense: "classifier.dense", activation: "tanh", output: "classifier.out_proj" },
    token: { output: "classifier" },
    span: { output: "qa_outputs" },
  }),
  ignored: [bertIgnored],
  ignoredBy: ({ positions }) => (positions === "alibi" ? [jinaBertIgnored] : []),
  ignoredTensors: bertIgnoredTensors,
};
