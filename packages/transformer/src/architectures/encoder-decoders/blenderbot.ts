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
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";

/** Blenderbot, for dialogue: pre-norm, no norm after the embeddings, and position embeddings without unused rows. */
export const blenderbot: EncoderDecoderArchitecture = {
  modelTypes: ["blenderbot"],
  prefixes: ["model."],
  embeddingNames: ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
  read(fields, file) {
    checkBartFields(fields, {
      normalize_before: true,
      normalize_embedding: false,
      static_position_embeddings: false,
    });
    fields.mustBe("layernorm_variant", "prelayernorm");
    fields.mustBe("extra_layer_norm", false);
    const config = { ...bartSizes(fields), placement: "pre" as const };
    const { vocabSize: V, embedDim: C } = config;
    return {
      config,
      tensors: [stored("embedding.weight", file.embeddingName, [V, C], "table"), ...bartStacks(config, 0)],
      output: bartOutput(config, file, fields.flag("tie_word_embeddings", true)),
    };
  },
  write: bartFields,
  classes: { blenderbot: "BlenderbotForConditionalGeneration" },
  ignored: [bartIgnored],
  ignoredTensors: bartCopies,
};
