import {
  and,
  attention,
  causal,
  lightningIndexer,
  mobaBlocks,
  nativeSparse,
  nsaBlocks,
  pastBlocks,
  selectedKeys,
  tracedAttention,
} from "@qkv/attention";
import { concat, permute, reshape, slice, stopGradient, type Tensor } from "@qkv/tensor";
import { compareSets } from "../check.js";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";
import { headsFirst } from "./heads-first.js";

/** Attention to selected keys: native sparse attention and its parts, MoBA, DSA. */
export const sparseSoftmaxOps: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "nsa_compression",
    inputs: ["q", "k_cmp", "v_cmp"],
    attributes: { block_size: 0, scale: 1 },
    run({ q, k_cmp, v_cmp }, { block_size, scale }) {
      const options = { mask: pastBlocks(block_size), scale };
      const { output, lse } = tracedAttention(headsFirst(q), headsFirst(k_cmp), headsFirst(v_cmp), options, [
        "lse",
      ]);
      return { o: headsFirst(output), _lse: headsFirst(stopGradient(lse)) };
    },
  }),
  defineReferenceOp({
    name: "nsa_topk",
    inputs: ["q", "k_cmp"],
    attributes: { block_size: 0, block_counts: 0, scale: 1, compare: "" },
    compare: { block_indices: compareSets },
    run: ({ q, k_cmp }, { block_size, block_counts, scale }) => ({
      block_indices: headsFirst(
        nsaBlocks(headsFirst(q), headsFirst(k_cmp), {
          blockSize: block_size,
          numBlocks: block_counts,
          scale,
        }),
      ),
    }),
  }),
  defineReferenceOp({
    name: "nsa_selection",
    inputs: ["q", "k", "v", "block_indices"],
    attributes: { block_size: 0, scale: 1 },
    run({ q, k, v, block_indices }, { block_size, scale }) {
      const mask = and(causal(), selectedKeys(headsFirst(block_indices), block_size));
      return { o: headsFirst(attention(headsFirst(q), headsFirst(k), headsFirst(v), { mask, scale })) };
    },
  }),
  defineReferenceOp({
    name: "nsa",
    inputs: ["q", "k", "v", "g_cmp", "g_slc"],
    optionalInputs: ["g_swa"],
    attributes: { block_size: 0, block_counts: 0, window_size: 0, scale: 1 },
    compare: { block_indices: compareSets },
    run({ q, k, v, g_cmp, g_slc, g_swa }, { block_size, block_counts, window_size, scale }) {
      const { output, blocks } = nativeSparse(headsFirst(q), headsFirst(k), headsFirst(v), {
        blockSize: block_size,
        numBlocks: block_counts,
        ...(window_size > 0 && { windowSize: window_size }),
        scale,
        gates: {
          compressed: headsFirst(g_cmp),
          selected: headsFirst(g_slc),
          ...(g_swa && { window: headsFirst(g_swa) }),
        },
      });
      return { o: headsFirst(output), block_indices: headsFirst(blocks) };
    },
  }),
  defineReferenceOp({
    name: "moba",
    inputs: ["q", "k", "v", "cu_seqlens"],
    attributes: { moba_chunk_size: 0, moba_topk: 0, layout: "[tokens,H,D]", scale: 1 },
    run({ q, k, v, cu_seqlens }, { moba_chunk_size: blockSize, moba_topk: topK, scale }) {
      const ends = [...cu_seqlens.data];
      const documents = ends.slice(1).map((end, i) => {
        /** `[tokens, H, D]` to `[1, H, T, D]` of one document. */
        const own = (x: Tensor) => {
          const part = permute(slice(x, 0, ends[i]!, end), [1, 0, 2]);
          return reshape(part, [1, ...part.shape]);
        };
        const [query, key, value] = [own(q), own(k), own(v)];
        const blocks = mobaBlocks(query, key, { blockSize, topK });
        const mask = and(causal(), selectedKeys(blocks, blockSize));
        const output = attention(query, key, value, { mask, scale });
        return permute(reshape(output, output.shape.slice(1)), [1, 0, 2]);
      });
      return { o: concat(documents, 0) };
    },
  }),
  defineReferenceOp({
    name: "dsa",
    inputs: ["q", "k", "v", "q_idx", "k_idx"],
    optionalInputs: ["w_idx"],
    attributes: { topk: 0, scale: 1, indexer: "" },
    compare: { indices: compareSets },
    run({ q, k, v, q_idx, k_idx, w_idx }, { topk, scale }) {
      const indices = lightningIndexer(headsFirst(q_idx), k_idx, {
        topK: topk,
        ...(w_idx && { weights: headsFirst(w_idx) }),
      });
      const mask = and(causal(), selectedKeys(indices));
      return {
        o: headsFirst(attention(headsFirst(q), headsFirst(k), headsFirst(v), { mask, scale })),
        indices,
      };
    },
  }),
];
