import { stacked } from "../../conversions/row-map.js";
import type { EncoderConfig } from "../../models/encoder.js";
import { activationField, ropeFields } from "../config-fields.js";
import { each, fused, linear, norm, stored } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import { bertSizes, bertIgnored, typeCount } from "./encoder-parts.js";

/** Nomic BERT: BERT with RoPE and gated feed-forward layers, without biases. */
export const nomicBert: EncoderArchitecture = {
  modelTypes: ["nomic_bert"],
  prefixes: ["nomic_bert.", "bert."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields) {
    const sizes = bertSizes(fields);
    fields.mustEqual("head_dim", sizes.embedDim / sizes.numHeads);
    const { ropeBase, ropeScaling } = ropeFields(fields, { base: 1000 });
    if (ropeScaling) fields.unsupported("rope_parameters", "a rotary embedding without scaling");
    const config: EncoderConfig = {
      ...sizes,
      activation: activationField(fields, "hidden_act", "silu"),
      numTypes: typeCount(fields),
      positions: "rotary",
      ropeBase,
      gated: true,
      bias: false,
    };
    const { vocabSize: V, embedDim: C, hiddenDim: F, numTypes, numLayers } = config;
    const biased = { bias: true };
    return {
      config,
      tensors: [
        stored("embedding.weight", "embeddings.word_embeddings.weight", [V, C], "table"),
        stored("types.weight", "embeddings.token_type_embeddings.weight", [numTypes, C]),
        norm("embeddingNorm", "emb_ln", C, biased),
        each(numLayers, "layers", "encoder.layers", () => [
          fused(["attention.query", "attention.key", "attention.value"], "attn.Wqkv", stacked([C, C, C]), C),
          linear("attention.output", "attn.out_proj", [C, C]),
          norm("attentionNorm", "norm1", C, biased),
          linear("feedForward.up", "mlp.fc11", [F, C]),
          linear("feedForward.gate", "mlp.fc12", [F, C]),
          linear("feedForward.down", "mlp.fc2", [C, F]),
          norm("feedForwardNorm", "norm2", C, biased),
        ]),
      ],
    };
  },
  heads: () => ({ token: { output: "classifier" } }),
  ignored: [bertIgnored],
  ignoredTensors: /position_ids$|rotary_emb\.inv_freq$|^cls\.|pooler\.|^classifier\./,
};
