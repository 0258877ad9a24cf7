import { stored } from "../stored-tensor.js";
import { bartFields, bartOutput, bartStacks, bartSizes, bartIgnored } from "./bart-parts.js";
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";

/** M2M-100 and NLLB: pre-norm, and sinusoidal positions that start after the id of the padding token. */
export const m2m100: EncoderDecoderArchitecture = {
  modelTypes: ["m2m_100"],
  prefixes: ["model."],
  embeddingNames: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read(fields, file) {
    const sizes = bartSizes(fields);
    const config = {
      ...sizes,
      placement: "pre" as const,
      positions: "sinusoidal" as const,
      sinusoids: { first: sizes.padId! + 1, inclusive: true },
    };
    const { vocabSize: V, embedDim: C } = config;
    return {
      config,
      tensors: [stored("embedding.weight", file.embeddingName, [V, C], "table"), ...bartStacks(config)],
      output: bartOutput(config, file, fields.flag("tie_word_embeddings", true)),
    };
  },
  write: bartFields,
  classes: { m2m_100: "M2M100ForConditionalGeneration" },
  ignored: [bartIgnored],
  ignoredTensors: /(^|\.)(shared|embed_tokens)\.weight$|^lm_head\.weight$|embed_positions\.weights?$/,
};
