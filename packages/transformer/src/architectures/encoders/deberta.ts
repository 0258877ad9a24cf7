import type { RowMap } from "../../conversions/row-map.js";
import type { EncoderConfig } from "../../models/encoder.js";
import type { Disentangled } from "../../layers/disentangled-attention.js";
import { activationField, type ConfigFields } from "../config-fields.js";
import { each, fused, linear, norm, stored, type StoredTensor } from "../stored-tensor.js";
import type { EncoderArchitecture, EncoderHeads } from "./encoder-architecture.js";
import {
  afterAttentionHeads,
  bertEmbeddings,
  bertLayerNames,
  bertSizes,
  bertIgnored,
} from "./encoder-parts.js";

const debertaIgnored = [bertIgnored, "pooler_dropout padding_idx"];
const embeddingName = "embeddings.word_embeddings.weight";
const ignoredTensors =
  /position_ids$|position_embeddings\.weight$|^(lm|mask)_predictions\.|^cls\.predictions\.decoder\.|^pooler\.|^classifier\./;

/** DeBERTa version 1: queries, keys and values in one matrix, and one relative position embedding per distance. */
export const deberta: EncoderArchitecture = {
  modelTypes: ["deberta"],
  prefixes: ["deberta."],
  embeddingName,
  read(fields) {
    fields.mustBe("talking_head", false);
    const config = debertaConfig(fields, {});
    return { config, tensors: debertaTensors(config, () => fusedAttention(config)) };
  },
  heads: (_, __, fields) => debertaHeads(fields),
  ignored: debertaIgnored,
  ignoredTensors,
};

/** DeBERTa v2 and v3: distances in buckets and a norm of their embeddings; in v3, distances share the query and key projections. */
export const debertaV2: EncoderArchitecture = {
  modelTypes: ["deberta-v2"],
  prefixes: ["deberta."],
  embeddingName,
  read(fields) {
    fields.mustBe("conv_kernel_size", 0); // the two largest models have a convolution after the first layer, which is not supported
    const norms = fields.text("norm_rel_ebd", "none");
    if (norms !== "none" && norms !== "layer_norm")
      fields.unsupported("norm_rel_ebd", '"layer_norm" or "none"');
    const buckets = fields.number("position_buckets", -1);
    const config = debertaConfig(fields, {
      ...(buckets > 0 && { buckets }),
      sharedProjections: fields.flag("share_att_key", false),
      norm: norms === "layer_norm",
    });
    return { config, tensors: debertaTensors(config, () => separateAttention(config)) };
  },
  heads: (_, __, fields) => debertaHeads(fields),
  ignored: debertaIgnored,
  ignoredTensors,
};

function debertaConfig(
  fields: ConfigFields,
  { buckets, ...more }: Pick<Disentangled, "sharedProjections" | "norm"> & { buckets?: number },
): EncoderConfig {
  const sizes = bertSizes(fields.withDefaults({ layer_norm_eps: 1e-7 }));
  const { embedDim: C, contextLength } = sizes;
  fields.mustBe("relative_attention", true);
  fields.mustEqual("embedding_size", C);
  fields.mustEqual("attention_head_size", C / sizes.numHeads);
  fields.mustEqual("pooler_hidden_size", C);
  fields.mustBe("legacy", true);
  const maxPositions = fields.number("max_relative_positions", -1);
  const maxDistance = maxPositions > 0 ? maxPositions : contextLength;
  return {
    ...sizes,
    positions: fields.flag("position_biased_input", true) ? "learned" : "none",
    numTypes: fields.number("type_vocab_size", 0),
    disentangled: {
      numDistances: buckets ?? maxDistance,
      ...(buckets !== undefined && { maxDistance }),
      terms: termsField(fields),
      ...more,
    },
  };
}

/** `pos_att_type`, the score terms in addition to content-to-content: a list, or in older files a string with separators. */
function termsField(fields: ConfigFields): Disentangled["terms"] {
  const name = "pos_att_type";
  const names = fields.isList(name) ? fields.list(name)! : fields.text(name, "").split("|").filter(Boolean);
  const isTerm = (term: unknown): term is "c2p" | "p2c" => term === "c2p" || term === "p2c";
  const terms = names.filter(isTerm);
  return terms.length === names.length
    ? terms
    : fields.unsupported(name, '"c2p" and "p2c", as far as there are any');
}

function debertaTensors(config: EncoderConfig, attention: () => StoredTensor[]): StoredTensor[] {
  const { embedDim: C, disentangled } = config;
  const { numDistances: R, norm: hasNorm = false } = disentangled!;
  return [
    ...bertEmbeddings(config),
    stored("distances.weight", "encoder.rel_embeddings.weight", [2 * R, C]),
    ...(hasNorm ? [norm("distanceNorm", "encoder.LayerNorm", C, { bias: true })] : []),
    each(config.numLayers, "layers", "encoder.layer", () => [
      ...attention(),
      ...afterAttentionHeads(config, bertLayerNames),
    ]),
  ];
}

/** Row map of the fused projection: query, key and value of one head, then those of the next. */
function headByHead(C: number, numHeads: number): RowMap {
  const D = C / numHeads;
  return {
    sizes: [C, C, C],
    to: (row) => [Math.floor(row / D) % 3, Math.floor(row / (3 * D)) * D + (row % D)],
  };
}

/** Attention projections of DeBERTa version 1. */
function fusedAttention({ embedDim: C, numHeads, disentangled }: EncoderConfig): StoredTensor[] {
  const self = "attention.self";
  const { terms } = disentangled!;
  return [
    fused(
      ["attention.query", "attention.key", "attention.value"],
      `${self}.in_proj`,
      headByHead(C, numHeads),
      C,
      { ownBiases: true },
    ),
    stored("attention.query.bias", `${self}.q_bias`, [C]),
    stored("attention.value.bias", `${self}.v_bias`, [C]),
    ...(terms.includes("c2p") ? [linear("attention.distanceKey", `${self}.pos_proj`, [C, C])] : []),
    ...(terms.includes("p2c") ? [linear("attention.distanceQuery", `${self}.pos_q_proj`, [C, C])] : []),
  ];
}

/** Attention projections of DeBERTa v2 and v3. */
function separateAttention({ embedDim: C, disentangled }: EncoderConfig): StoredTensor[] {
  const self = "attention.self";
  const { terms, sharedProjections } = disentangled!;
  const attentionLinear = (param: string, name: string) =>
    linear(`attention.${param}`, `${self}.${name}`, [C, C]);
  return [
    ...(["query", "key", "value"] as const).map((part) => attentionLinear(part, `${part}_proj`)),
    ...(terms.includes("c2p") && !sharedProjections ? [attentionLinear("distanceKey", "pos_key_proj")] : []),
    ...(terms.includes("p2c") && !sharedProjections
      ? [attentionLinear("distanceQuery", "pos_query_proj")]
      : []),
  ];
}

const debertaHeads = (fields: ConfigFields): EncoderHeads => ({
  maskedToken: {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    biases: ["cls.predictions.bias", "cls.predictions.decoder.bias"],
  },
  sequence: {
    dense: "pooler.dense",
    activation: activationField(fields, "pooler_hidden_act", "gelu"),
    output: "classifier",
  },
  token: { output: "classifier" },
  span: { output: "qa_outputs" },
});
