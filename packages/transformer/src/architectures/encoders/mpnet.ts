import { each, stored } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import {
  bertEmbeddings,
  bertSizes,
  checkBertFields,
  encoderLayer,
  firstPosition,
  bertIgnored,
} from "./encoder-parts.js";

/** MPNet: learned positions and a relative position bias. */
export const mpnet: EncoderArchitecture = {
  modelTypes: ["mpnet"],
  prefixes: ["mpnet."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields) {
    checkBertFields(fields);
    const first = firstPosition(fields);
    const sizes = bertSizes(fields);
    const relativeBias = {
      numBuckets: fields.countOr(32, "relative_attention_num_buckets"),
      maxDistance: 128,
    };
    const config = { ...sizes, contextLength: sizes.contextLength - first, relativeBias };
    return {
      config,
      tensors: [
        ...bertEmbeddings(config, first),
        stored("relativeBias.weight", "encoder.relative_attention_bias.weight", [
          relativeBias.numBuckets,
          config.numHeads,
        ]),
        each(config.numLayers, "layers", "encoder.layer", () =>
          encoderLayer(config, {
            query: "attention.attn.q",
            key: "attention.attn.k",
            value: "attention.attn.v",
            output: "attention.attn.o",
            attentionNorm: "attention.LayerNorm",
            up: "intermediate.dense",
            down: "output.dense",
            feedForwardNorm: "output.LayerNorm",
          }),
        ),
      ],
    };
  },
  heads: (path) => ({
    maskedToken: {
      dense: "lm_head.dense",
      norm: "lm_head.layer_norm",
      biases: ["lm_head.bias", "lm_head.decoder.bias"],
    },
    pooler: { dense: `${path}pooler.dense`, activation: "tanh" },
    sequence: { dense: "classifier.dense", activation: "tanh", output: "classifier.out_proj" },
    token: { output: "classifier" },
    span: { output: "qa_outputs" },
  }),
  ignored: [bertIgnored],
  ignoredTensors: /position_ids$|pooler\.|^lm_head\.(decoder\.|bias$)|^classifier\./,
};
