import { each, norm } from "../stored-tensor.js";
import { bert, bertIgnoredTensors } from "./bert.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import {
  bertEmbeddings,
  bertSizes,
  checkBertFields,
  encoderLayer,
  firstPosition,
  bertIgnored,
  prenormLayerNames,
  typeCount,
} from "./encoder-parts.js";

/** RoBERTa with pre-norm, and RoBERTa XL, which has no norm after the embeddings. */
export const robertaPrelayernorm: EncoderArchitecture = {
  modelTypes: ["roberta-prelayernorm", "xlm-roberta-xl"],
  prefixes: ["roberta_prelayernorm.", "roberta."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fileFields, type) {
    const isXl = type === "xlm-roberta-xl";
    const fields = isXl ? fileFields.withDefaults({ layer_norm_eps: 1e-5, type_vocab_size: 1 }) : fileFields;
    checkBertFields(fields);
    const first = firstPosition(fields);
    const sizes = bertSizes(fields);
    const config = {
      ...sizes,
      contextLength: sizes.contextLength - first,
      numTypes: typeCount(fields),
      placement: "pre" as const,
      ...(isXl && { embeddingNorm: false }),
    };
    const names = isXl
      ? prenormLayerNames("attention.self_attn_layer_norm", "LayerNorm")
      : prenormLayerNames("attention.LayerNorm", "intermediate.LayerNorm");
    return {
      config,
      tensors: [
        ...bertEmbeddings(config, first),
        each(config.numLayers, "layers", "encoder.layer", () => encoderLayer(config, names)),
        norm("finalNorm", isXl ? "encoder.LayerNorm" : "LayerNorm", config.embedDim, { bias: true }),
      ],
    };
  },
  // The heads have the names of RoBERTa.
  heads: (path, _, fields) => bert.heads(path, "roberta", fields),
  ignored: [bertIgnored],
  ignoredTensors: bertIgnoredTensors,
};
