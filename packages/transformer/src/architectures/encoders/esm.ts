import { each, norm, stored } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import { bertSizes, encoderLayer, bertIgnored, prenormLayerNames } from "./encoder-parts.js";

/** ESM-2, for proteins: RoPE, pre-norm, and embeddings scaled by the fraction of mask tokens (token dropout). */
export const esm: EncoderArchitecture = {
  modelTypes: ["esm"],
  prefixes: ["esm."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields) {
    fields.mustBe("is_decoder", false);
    fields.mustBe("is_folding_model", false);
    if (fields.text("position_embedding_type", "absolute") !== "rotary")
      fields.unsupported("position_embedding_type", '"rotary", as in ESM-2');
    const embeddingNorm = fields.flag("emb_layer_norm_before", false);
    const sizes = bertSizes(fields);
    const tokenDropout = fields.flag("token_dropout", false) && {
      maskId: fields.number("mask_token_id"),
      padId: fields.number("pad_token_id"),
    };
    const config = {
      ...sizes,
      positions: "rotary" as const,
      placement: "pre" as const,
      embeddingNorm,
      ...(tokenDropout && { tokenDropout }),
    };
    const { vocabSize: V, embedDim: C, numLayers } = config;
    return {
      config,
      tensors: [
        stored("embedding.weight", "embeddings.word_embeddings.weight", [V, C], "table"),
        ...(embeddingNorm ? [norm("embeddingNorm", "embeddings.layer_norm", C, { bias: true })] : []),
        each(numLayers, "layers", "encoder.layer", () =>
          encoderLayer(config, prenormLayerNames("attention.LayerNorm", "LayerNorm")),
        ),
        norm("finalNorm", "encoder.emb_layer_norm_after", C, { bias: true }),
      ],
    };
  },
  heads: () => ({
    maskedToken: {
      dense: "lm_head.dense",
      norm: "lm_head.layer_norm",
      biases: ["lm_head.bias", "lm_head.decoder.bias"],
    },
    sequence: { dense: "classifier.dense", activation: "tanh", output: "classifier.out_proj" },
    token: { output: "classifier" },
  }),
  ignored: [bertIgnored, "esmfold_config vocab_list type_vocab_size"],
  // The contact prediction head reads attention weights; it is not supported.
  ignoredTensors:
    /position_(ids|embeddings\.weight)$|rotary_embeddings\.inv_freq$|contact_head\.|pooler\.|^lm_head\.(decoder\.|bias$)|^classifier\./,
};
