import { activationField } from "../config-fields.js";
import { each } from "../stored-tensor.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import { bertEmbeddings, encoderLayer, layerCount } from "./encoder-parts.js";

/** DistilBERT: BERT without token types and pooler. */
export const distilbert: EncoderArchitecture = {
  modelTypes: ["distilbert"],
  prefixes: ["distilbert."],
  embeddingName: "embeddings.word_embeddings.weight",
  read(fields) {
    const config = {
      vocabSize: fields.count("vocab_size"),
      embedDim: fields.count("dim"),
      hiddenDim: fields.count("hidden_dim"),
      numLayers: layerCount(fields, "n_layers"),
      numHeads: fields.count("n_heads"),
      contextLength: fields.count("max_position_embeddings"),
      numTypes: 0,
      normEps: 1e-12,
      activation: activationField(fields, "activation", "gelu"),
    };
    return {
      config,
      tensors: [
        ...bertEmbeddings(config),
        each(config.numLayers, "layers", "transformer.layer", () =>
          encoderLayer(config, {
            query: "attention.q_lin",
            key: "attention.k_lin",
            value: "attention.v_lin",
            output: "attention.out_lin",
            attentionNorm: "sa_layer_norm",
            up: "ffn.lin1",
            down: "ffn.lin2",
            feedForwardNorm: "output_layer_norm",
          }),
        ),
      ],
    };
  },
  heads: () => ({
    maskedToken: {
      dense: "vocab_transform",
      norm: "vocab_layer_norm",
      biases: ["vocab_projector.bias"],
    },
    sequence: { dense: "pre_classifier", activation: "relu", output: "classifier" },
    token: { output: "classifier" },
    span: { output: "qa_outputs" },
  }),
  // Sinusoidal positions are stored like learned ones.
  ignored: ["eos_token_id dropout qa_dropout seq_classif_dropout sinusoidal_pos_embds"],
  ignoredTensors: /position_ids$|^vocab_projector\.weight$|^(pre_)?classifier\./,
};
