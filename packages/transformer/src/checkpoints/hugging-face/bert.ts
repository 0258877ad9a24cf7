import { slice } from "@qkv/tensor";
import type { FeedForwardParams } from "../../layers/feed-forward.js";
import type { TransformerLayerParams } from "../../layers/transformer-layer.js";
import type { Weights } from "../../loading/weights.js";
import type { EncoderConfig, MaskedTokenHeadParams } from "../../models/encoder.js";
import { activationField } from "../../architectures/config-fields.js";
import { mapSequentially, prefixOf, type Family } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";

const ignored = /* @__PURE__ */ ignoredFields(
  "eos_token_id hidden_dropout_prob attention_probs_dropout_prob directionality",
  "pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type",
);

/** BERT, and RoBERTa, whose positions begin behind the padding token's. */
export const bert: Family = {
  modelTypes: ["bert", "roberta", "xlm-roberta"],
  async read(type, fields, weights) {
    fields.mustBe("position_embedding_type", "absolute");
    fields.mustBe("is_decoder", false);
    const rows = fields.count("max_position_embeddings");
    const padId = type === "bert" ? -1 : fields.number("pad_token_id", 1);
    if (type !== "bert" && !(Number.isInteger(padId) && padId >= 0 && padId < rows - 1)) {
      return fields.refuse("pad_token_id", `a token id below max_position_embeddings - 1 = ${rows - 1}`);
    }
    const first = padId + 1;
    const config: EncoderConfig = {
      vocabSize: fields.count("vocab_size"),
      embedDim: fields.count("hidden_size"),
      hiddenDim: fields.count("intermediate_size"),
      numLayers: fields.count("num_hidden_layers"),
      numHeads: fields.count("num_attention_heads"),
      contextLength: rows - first,
      numTypes: fields.countOr(2, "type_vocab_size"),
      normEps: fields.positive("layer_norm_eps", 1e-12),
      activation: activationField(fields, "hidden_act", "gelu"),
    };
    const tied = fields.flag("tie_word_embeddings", true);
    fields.finish(ignored);
    const { vocabSize: V, embedDim: C, hiddenDim: F } = config;
    const prefix = prefixOf(weights, "embeddings.word_embeddings.weight", ["", "bert.", "roberta."]);
    const own = (name: string) => `${prefix}embeddings.${name}`;
    const embedding = { weight: await weights.table(own("word_embeddings.weight"), [V, C]) };
    const table = await weights.tensor(own("position_embeddings.weight"), [rows, C]);
    const types = { weight: await weights.tensor(own("token_type_embeddings.weight"), [config.numTypes, C]) };
    const biased = { bias: true };
    const embeddingNorm = await weights.norm(own("LayerNorm"), C, biased);
    const layers = await mapSequentially(
      config.numLayers,
      async (i): Promise<TransformerLayerParams<FeedForwardParams>> => {
        const path = `${prefix}encoder.layer.${i}`;
        return {
          attention: {
            query: await weights.linear(`${path}.attention.self.query`, C, C, biased),
            key: await weights.linear(`${path}.attention.self.key`, C, C, biased),
            value: await weights.linear(`${path}.attention.self.value`, C, C, biased),
            output: await weights.linear(`${path}.attention.output.dense`, C, C, biased),
          },
          attentionNorm: await weights.norm(`${path}.attention.output.LayerNorm`, C, biased),
          feedForward: {
            up: await weights.linear(`${path}.intermediate.dense`, F, C, biased),
            down: await weights.linear(`${path}.output.dense`, C, F, biased),
          },
          feedForwardNorm: await weights.norm(`${path}.output.LayerNorm`, C, biased),
        };
      },
    );
    const maskedTokenHead = await readMaskedTokenHead(type, weights, V, C);
    if (maskedTokenHead && !tied) {
      return fields.refuse(
        "tie_word_embeddings",
        "true: the matrix of the head for masked tokens is the embedding",
      );
    }
    weights.finish(
      /position_ids$|pooler\.|^cls\.seq_relationship\.|^cls\.predictions\.decoder\.|^lm_head\.(decoder\.|bias$)|^classifier\./,
    );
    return {
      kind: "encoder",
      config,
      params: {
        embedding,
        positions: { weight: first === 0 ? table : slice(table, 0, first) },
        types,
        embeddingNorm,
        layers,
        ...(maskedTokenHead && { maskedTokenHead }),
      },
    };
  },
};

async function readMaskedTokenHead(
  type: string,
  weights: Weights,
  V: number,
  C: number,
): Promise<MaskedTokenHeadParams | undefined> {
  const [dense, norm, path] =
    type === "bert"
      ? ["cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions"]
      : ["lm_head.dense", "lm_head.layer_norm", "lm_head"];
  const biases = [`${path}.bias`, `${path}.decoder.bias`]; // one vector under two names
  if (!weights.has(`${dense}.weight`)) return undefined;
  return {
    dense: await weights.linear(dense!, C, C, { bias: true }),
    norm: await weights.norm(norm!, C, { bias: true }),
    bias: await weights.tensor(biases.find(weights.has) ?? biases[0]!, [V]),
  };
}
