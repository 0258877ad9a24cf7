import type { DecoderConfig } from "../../models/decoder-config.js";
import { byHead } from "../by-head.js";
import type { ConfigEntry } from "../config-entry.js";
import { indexerProjections, keysThenValues } from "../latent-parts.js";
import { eitherTensor, fused, linear, norm, under, type StoredTensor } from "../stored-tensor.js";

/**
 * Sizes of latents and heads (MLA). `split`: the file's key and value lengths are those of the shared latent, and the
 * lengths per head have keys of their own. Older files of the same architecture have only the lengths per head.
 */
export const ggufLatentHeads = ({ split = false } = {}): ConfigEntry => ({
  read(fields, { embedDim = 0, numHeads = 1 }) {
    const kvRank = fields.count("attention.kv_lora_rank");
    const ropeDim = fields.count("rope.dimension_count");
    const hasQueryLatents = (fields.numberOr(undefined, "attention.q_lora_rank") ?? 0) !== 0;
    const headLength = split ? fields.countOr(undefined, "attention.key_length_mla") : undefined;
    if (headLength !== undefined) {
      fields.mustEqual("attention.key_length", kvRank + ropeDim);
      fields.mustEqual("attention.value_length", kvRank);
    }
    const keyDim = headLength ?? fields.count("attention.key_length");
    if (keyDim <= ropeDim)
      return fields.refuse("rope.dimension_count", `below ${keyDim}, the key dimension of a head`);
    const valueName = headLength === undefined ? "attention.value_length" : "attention.value_length_mla";
    fields.countOr(undefined, "attention.head_count_kv"); // 1 for shared latents, else the number of heads
    return {
      numKvHeads: numHeads,
      latent: {
        kvRank,
        ...(hasQueryLatents && { queryRank: fields.count("attention.q_lora_rank") }),
        nopeDim: keyDim - ropeDim,
        ropeDim,
        valueDim: fields.countOr(embedDim / numHeads, valueName),
      },
    };
  },
  write({ latent, numHeads }) {
    if (!latent) return {};
    const { kvRank, queryRank = 0, nopeDim, ropeDim, valueDim } = latent;
    return {
      "attention.kv_lora_rank": kvRank,
      "attention.q_lora_rank": queryRank,
      ...(split
        ? {
            "attention.head_count_kv": 1,
            "attention.key_length": kvRank + ropeDim,
            "attention.value_length": kvRank,
            "attention.key_length_mla": nopeDim + ropeDim,
            "attention.value_length_mla": valueDim,
          }
        : {
            "attention.head_count_kv": numHeads,
            "attention.key_length": nopeDim + ropeDim,
            "attention.value_length": valueDim,
          }),
    };
  },
});

/** Projections of latent attention. `split`: transposed keys, and values, are separate tensors; files with one tensor are read too. */
export const ggufLatentProjections =
  ({ split = false } = {}) =>
  ({ embedDim: C, numHeads: H, latent }: DecoderConfig): readonly StoredTensor[] => {
    const { kvRank, queryRank, nopeDim, ropeDim, valueDim } = latent!;
    const queries = H * (nopeDim + ropeDim);
    const fusedKeysValues = fused(
      ["key", "value"],
      "attn_kv_b",
      keysThenValues(H, nopeDim, valueDim),
      kvRank,
      { float32: true }, // with cached latents, these matrices are also used in another product
    );
    const separate = under("", "", [
      byHead("key.weight", "attn_k_b.weight", [H, nopeDim, kvRank], { transposed: true }),
      byHead("value.weight", "attn_v_b.weight", [H, valueDim, kvRank]),
    ]);
    return [
      under("attention", "", [
        ...(queryRank === undefined
          ? [linear("query", "attn_q", [queries, C])]
          : [
              linear("queryDown", "attn_q_a", [queryRank, C]),
              norm("queryNorm", "attn_q_a_norm", queryRank),
              linear("query", "attn_q_b", [queries, queryRank]),
            ]),
        linear("latent", "attn_kv_a_mqa", [kvRank + ropeDim, C]),
        norm("latentNorm", "attn_kv_a_norm", kvRank),
        split ? eitherTensor(fusedKeysValues, separate, "attn_k_b.weight") : fusedKeysValues,
        linear("output", "attn_output", [C, H * valueDim]),
      ]),
    ];
  };

/** Sizes of the indexer of sparse attention (DSA). */
export const ggufIndexer: ConfigEntry = {
  read: (fields) => ({
    indexer: {
      numHeads: fields.count("attention.indexer.head_count"),
      headDim: fields.count("attention.indexer.key_length"),
      topK: fields.count("attention.indexer.top_k"),
    },
  }),
  write: ({ indexer }) => ({
    "attention.indexer.head_count": indexer?.numHeads,
    "attention.indexer.key_length": indexer?.headDim,
    "attention.indexer.top_k": indexer?.topK,
  }),
};

/** Projections of the indexer. */
export const ggufIndexerProjections = (config: DecoderConfig): readonly StoredTensor[] =>
  indexerProjections(config, { path: "indexer", query: "attn_q_b", key: "attn_k", headWeights: "proj" });
