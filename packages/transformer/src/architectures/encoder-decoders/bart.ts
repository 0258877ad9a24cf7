import { stored } from "../stored-tensor.js";
import {
  bartFields,
  bartOutput,
  bartSides,
  bartSizes,
  checkBartFields,
  copiesOfBart,
  ignoredOfBart,
} from "./bart-parts.js";
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";

/** BART and mBART, but for their heads. */
const both: Omit<EncoderDecoderArchitecture, "modelTypes"> = {
  paths: ["model."],
  tables: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read(fields, file) {
    const isPre = file.type === "mbart";
    checkBartFields(fields, {
      normalize_before: isPre,
      normalize_embedding: true,
      static_position_embeddings: false,
    });
    const config = {
      ...bartSizes(fields),
      embeddingNorm: true,
      ...(isPre && { placement: "pre" as const }),
    };
    const { vocabSize: V, embedDim: C } = config;
    return {
      config,
      tensors: [stored("embedding.weight", file.table, [V, C], "table"), ...bartSides(config)],
      output: bartOutput(config, file, fields.flag("tie_word_embeddings", true)),
    };
  },
  write: bartFields,
  classes: { bart: "BartForConditionalGeneration", mbart: "MBartForConditionalGeneration" },
  ignored: [ignoredOfBart],
  ignoredTensors: copiesOfBart,
};

/** BART, whose norms stand behind each part. */
export const bart: EncoderDecoderArchitecture = {
  ...both,
  modelTypes: ["bart"],
  sequenceHead: {
    dense: "classification_head.dense",
    activation: "tanh",
    output: "classification_head.out_proj",
  },
};

/** mBART, whose norms stand before each part. Its head for texts reads behind the language's token, which is not supported. */
export const mbart: EncoderDecoderArchitecture = { ...both, modelTypes: ["mbart"] };
