import type { ConfigFields } from "../config-fields.js";
import { stored } from "../stored-tensor.js";
import {
  bartFields,
  bartOutput,
  bartStacks,
  bartSizes,
  checkBartFields,
  bartCopies,
  bartIgnored,
} from "./bart-parts.js";
import type {
  EncoderDecoderArchitecture,
  EncoderDecoderFile,
  EncoderDecoderTable,
} from "./encoder-decoder-architecture.js";

/** BART, and PLBart for source code: post-norm. */
export const bart: EncoderDecoderArchitecture = {
  modelTypes: ["bart", "plbart"],
  prefixes: ["model."],
  embeddingNames: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read: (fields, file) => readBart(fields, file, "post"),
  write: bartFields,
  classes: { bart: "BartForConditionalGeneration", plbart: "PLBartForConditionalGeneration" },
  sequenceHead: {
    dense: "classification_head.dense",
    activation: "tanh",
    output: "classification_head.out_proj",
  },
  ignored: [bartIgnored],
  ignoredTensors: bartCopies,
};

/**
 * mBART: pre-norm. Its head for sequence classification pools at the language token, which
 * is not supported.
 */
export const mbart: EncoderDecoderArchitecture = {
  modelTypes: ["mbart"],
  prefixes: ["model."],
  embeddingNames: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read: (fields, file) => readBart(fields, file, "pre"),
  write: bartFields,
  classes: { mbart: "MBartForConditionalGeneration" },
  ignored: [bartIgnored],
  ignoredTensors: bartCopies,
};

function readBart(
  fields: ConfigFields,
  file: EncoderDecoderFile,
  placement: "post" | "pre",
): EncoderDecoderTable {
  checkBartFields(fields, {
    normalize_before: placement === "pre",
    normalize_embedding: true,
    static_position_embeddings: false,
  });
  const config = {
    ...bartSizes(fields),
    embeddingNorm: true,
    ...(placement === "pre" && { placement }),
  };
  const { vocabSize: V, embedDim: C } = config;
  return {
    config,
    tensors: [stored("embedding.weight", file.embeddingName, [V, C], "table"), ...bartStacks(config)],
    output: bartOutput(config, file, fields.flag("tie_word_embeddings", true)),
  };
}
