import { stored } from "../stored-tensor.js";
import { bartFields, bartOutput, bartStacks, bartSizes, checkBartFields, bartIgnored } from "./bart-parts.js";
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";

/** Marian, for translation: BART with sinusoidal positions and without a norm after the embeddings. */
export const marian: EncoderDecoderArchitecture = {
  modelTypes: ["marian"],
  prefixes: ["model."],
  embeddingNames: ["shared.weight", "decoder.embed_tokens.weight", "encoder.embed_tokens.weight"],
  read(fields, file) {
    checkBartFields(fields, {
      normalize_before: false,
      normalize_embedding: false,
      static_position_embeddings: true,
    });
    const sizes = bartSizes(fields);
    const { vocabSize: sourceSize, embedDim: C } = sizes;
    const isShared = fields.flag("share_encoder_decoder_embeddings", true);
    const V = fields.countOr(sourceSize, "decoder_vocab_size");
    if (isShared) fields.mustEqual("decoder_vocab_size", sourceSize);
    const config = {
      ...sizes,
      vocabSize: V,
      positions: "sinusoidal" as const,
      ...(!isShared && { encoder: { ...sizes.encoder, vocabSize: sourceSize } }),
    };
    return {
      config,
      tensors: [
        ...(isShared
          ? [stored("embedding.weight", file.embeddingName, [V, C], "table")]
          : [
              stored("embedding.weight", "decoder.embed_tokens.weight", [V, C], "table"),
              stored("sourceEmbedding.weight", "encoder.embed_tokens.weight", [sourceSize, C], "table"),
            ]),
        ...bartStacks(config),
      ],
      output: bartOutput(config, file, fields.flag("tie_word_embeddings", true)),
    };
  },
  write({ encoder = {}, ...config }) {
    const { vocabSize: sourceSize, ...sizes } = encoder;
    const fields = bartFields({ ...config, encoder: sizes });
    if (sourceSize === undefined) return fields;
    return {
      ...fields,
      vocab_size: sourceSize,
      decoder_vocab_size: config.vocabSize,
      share_encoder_decoder_embeddings: false,
    };
  },
  classes: { marian: "MarianMTModel" },
  ignored: [bartIgnored],
  ignoredTensors: /(^|\.)(shared|embed_tokens)\.weight$|^lm_head\.weight$|embed_positions\.weight$/,
};
