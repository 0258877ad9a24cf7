import { stored } from "../stored-tensor.js";
import { bartFields, bartOutput, bartStacks, bartSizes, checkBartFields, bartIgnored } from "./bart-parts.js";
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";

/** Pegasus, for summarization: pre-norm and sinusoidal positions. */
export const pegasus: EncoderDecoderArchitecture = {
  modelTypes: ["pegasus"],
  prefixes: ["model."],
  embeddingNames: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read(fields, file) {
    checkBartFields(fields, {
      normalize_before: true,
      normalize_embedding: false,
      static_position_embeddings: true,
    });
    const config = {
      ...bartSizes(fields),
      placement: "pre" as const,
      positions: "sinusoidal" as const,
    };
    const { vocabSize: V, embedDim: C } = config;
    return {
      config,
      tensors: [stored("embedding.weight", file.embeddingName, [V, C], "table"), ...bartStacks(config)],
      output: bartOutput(config, file, fields.flag("tie_word_embeddings", true)),
    };
  },
  write: bartFields,
  classes: { pegasus: "PegasusForConditionalGeneration" },
  ignored: [bartIgnored],
  ignoredTensors: /(^|\.)(shared|embed_tokens)\.weight$|^lm_head\.weight$|embed_positions\.weight$/,
};
