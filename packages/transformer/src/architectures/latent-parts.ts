import type { RowMap } from "../conversions/row-map.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { count, type ConfigEntry } from "./config-entry.js";
import { fused, linear, norm, under, type StoredTensor } from "./stored-tensor.js";

/** Sizes of decoders with multi-head latent attention (MLA): the fields of Llama, except for heads. */
export const latentSizes = (): readonly ConfigEntry[] => [
  count("vocabSize", "vocab_size"),
  count("embedDim", "hidden_size"),
  count("hiddenDim", "intermediate_size"),
  count("numLayers", "num_hidden_layers"),
  count("numHeads", "num_attention_heads"),
  count("numKvHeads", "num_key_value_heads", ({ numHeads }) => numHeads),
  count("contextLength", "max_position_embeddings"),
  latentHeads,
];

/** Sizes of latents and heads. `head_dim`, if present, is the rotated or the total head dimension. */
const latentHeads: ConfigEntry = {
  read(fields, { embedDim = 0, numHeads = 1 }) {
    const [nopeDim, ropeDim] = [fields.count("qk_nope_head_dim"), fields.count("qk_rope_head_dim")];
    const queryRank = fields.countOr(undefined, "q_lora_rank");
    fields.mustEqual("qk_head_dim", nopeDim + ropeDim);
    return {
      latent: {
        kvRank: fields.count("kv_lora_rank"),
        ...(queryRank !== undefined && { queryRank }),
        nopeDim,
        ropeDim,
        valueDim: fields.countOr(embedDim / numHeads, "v_head_dim"),
      },
    };
  },
  write: ({ latent }) => ({
    kv_lora_rank: latent?.kvRank,
    q_lora_rank: latent?.queryRank ?? null,
    qk_nope_head_dim: latent?.nopeDim,
    qk_rope_head_dim: latent?.ropeDim,
    qk_head_dim: latent && latent.nopeDim + latent.ropeDim,
    head_dim: latent?.ropeDim,
    v_head_dim: latent?.valueDim,
  }),
};

/** Sizes of the indexer, whose queries are computed from the query latent. */
export const indexerSizes: ConfigEntry = {
  read(fields, { latent }) {
    if (latent?.queryRank === undefined)
      return fields.refuse("q_lora_rank", "an integer, 1 or more: index queries are made of these latents");
    const headDim = fields.count("index_head_dim");
    if (headDim < latent.ropeDim)
      return fields.refuse("index_head_dim", `at least qk_rope_head_dim = ${latent.ropeDim}, which rotate`);
    return {
      indexer: { numHeads: fields.count("index_n_heads"), headDim, topK: fields.count("index_topk") },
    };
  },
  write: ({ indexer }) => ({
    index_n_heads: indexer?.numHeads,
    index_head_dim: indexer?.headDim,
    index_topk: indexer?.topK,
  }),
};

/** Names of the indexer's projections, relative to its path. */
export type IndexerNames = { path: string; query: string; key: string; headWeights: string };

const checkpointNames: IndexerNames = {
  path: "self_attn.indexer",
  query: "wq_b",
  key: "wk",
  headWeights: "weights_proj",
};

/** Projections of the indexer. */
export function indexerProjections(
  { embedDim: C, latent, indexer }: DecoderConfig,
  names: IndexerNames = checkpointNames,
): readonly StoredTensor[] {
  const { numHeads, headDim } = indexer!;
  return [
    under("attention.indexer", names.path, [
      linear("query", names.query, [numHeads * headDim, latent!.queryRank!]),
      linear("key", names.key, [headDim, C]),
      norm("keyNorm", "k_norm", headDim),
      linear("headWeights", names.headWeights, [numHeads, C]),
    ]),
  ];
}

/** YaRN's scale of attention scores: 1 / √D times the square of the factor from `mscale_all_dim`, once for queries and once for keys. */
export const scaledScores: ConfigEntry = {
  read(_, { ropeScaling, latent }) {
    if (ropeScaling?.type !== "yarn" || !ropeScaling.mscaleAllDim || !latent) return {};
    const scale = 0.1 * ropeScaling.mscaleAllDim * Math.log(ropeScaling.factor) + 1;
    return { attentionScale: (latent.nopeDim + latent.ropeDim) ** -0.5 * scale * scale };
  },
  write: () => ({}),
};

/** The rotary layout. */
export const interleavedPairs = (fallback: boolean): ConfigEntry => ({
  read: (fields) => (fields.flag("rope_interleave", fallback) ? { ropeLayout: "interleaved" } : {}),
  write: ({ ropeLayout }) => ({ rope_interleave: ropeLayout === "interleaved" }),
});

/** Row map of the fused projection: keys of a head, then its values, then those of the next head. */
export const keysThenValues = (numHeads: number, nopeDim: number, valueDim: number): RowMap => ({
  sizes: [numHeads * nopeDim, numHeads * valueDim],
  to(row) {
    const [head, at] = [Math.floor(row / (nopeDim + valueDim)), row % (nopeDim + valueDim)];
    return at < nopeDim ? [0, head * nopeDim + at] : [1, head * valueDim + at - nopeDim];
  },
});

/** Projections of latent attention. */
export function latentProjections({
  embedDim: C,
  numHeads: H,
  latent,
}: DecoderConfig): readonly StoredTensor[] {
  const { kvRank, queryRank, nopeDim, ropeDim, valueDim } = latent!;
  const queries = H * (nopeDim + ropeDim);
  return [
    ...(queryRank === undefined
      ? [linear("attention.query", "self_attn.q_proj", [queries, C])]
      : [
          linear("attention.queryDown", "self_attn.q_a_proj", [queryRank, C]),
          norm("attention.queryNorm", "self_attn.q_a_layernorm", queryRank),
          linear("attention.query", "self_attn.q_b_proj", [queries, queryRank]),
        ]),
    linear("attention.latent", "self_attn.kv_a_proj_with_mqa", [kvRank + ropeDim, C]),
    norm("attention.latentNorm", "self_attn.kv_a_layernorm", kvRank),
    fused(
      ["attention.key", "attention.value"],
      "self_attn.kv_b_proj",
      keysThenValues(H, nopeDim, valueDim),
      kvRank,
      { float32: true }, // with cached latents, these matrices are also used in another product
    ),
    linear("attention.output", "self_attn.o_proj", [C, H * valueDim]),
  ];
}
