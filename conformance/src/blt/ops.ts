import { maxPoolPatches, patches } from "@qkv/attention";
import { logSoftmax, neg, exp, mul, sum, tensor, type Tensor } from "@qkv/tensor";
import { bltPatchLengths, hashByteNgrams, splitPatches } from "@qkv/tokenizer/patching";
import { defineReferenceOp, type ReferenceOp } from "../reference-op.js";

/** The rows `[N]` of a tensor `[B, N]`. */
async function rowsOf(x: Tensor): Promise<number[][]> {
  const [B, N] = x.shape as [number, number];
  const values = Array.from(await x.read());
  return Array.from({ length: B }, (_, b) => values.slice(b * N, (b + 1) * N));
}

/** Rows as a tensor, shorter ones padded with 0: texts of a batch differ in their number of patches. */
function int32(rows: readonly ArrayLike<number>[], like: Tensor): Tensor {
  const longest = Math.max(0, ...rows.map(({ length }) => length));
  return tensor(
    rows.flatMap((row) => Array.from({ length: longest }, (_, n) => row[n] ?? 0)),
    { shape: [rows.length, longest], dtype: "int32", device: like.device },
  );
}

/** Functions of byte patching, under the names in the cases of `blt/`. */
export const bltOps: readonly ReferenceOp[] = [
  defineReferenceOp({
    name: "patch_lengths_from_entropies",
    inputs: ["entropies"],
    attributes: { threshold: 0 },
    async run({ entropies }, { threshold }) {
      const rows = await rowsOf(entropies);
      return {
        patch_lengths: int32(
          rows.map((row) => bltPatchLengths(row, threshold)),
          entropies,
        ),
      };
    },
  }),
  defineReferenceOp({
    name: "process_patch_lengths",
    inputs: ["patch_lengths"],
    attributes: { max_patch_length: 0 },
    async run({ patch_lengths: lengths }, { max_patch_length: most }) {
      const rows = await rowsOf(lengths);
      return {
        patch_lengths: int32(
          rows.map((row) => splitPatches(row, most)),
          lengths,
        ),
      };
    },
  }),
  defineReferenceOp({
    name: "byte_group_hash_function",
    inputs: ["token_ids"],
    attributes: { group_size: 0, prime: 0, max_hash: 0 },
    async run({ token_ids: ids }, { group_size: order, prime, max_hash: buckets }) {
      const rows = await rowsOf(ids);
      return {
        hash: int32(
          rows.map((row) => hashByteNgrams(row, { order, prime, buckets })),
          ids,
        ),
      };
    },
  }),
  defineReferenceOp({
    name: "patch_cross_attention_mask",
    inputs: ["patch_lengths", "patch_ids"],
    attributes: { patches_as_queries: true, cross_attn_k: 1, num_patches: 0 },
    async run({ patch_ids: ids }, attributes) {
      const {
        patches_as_queries: ofPatches,
        cross_attn_k: rowsPerPatch,
        num_patches: numPatches,
      } = attributes;
      const lists = await rowsOf(ids);
      const [bytes, rows] = [lists[0]!.length, numPatches * rowsPerPatch];
      const [T, S] = ofPatches ? [rows, bytes] : [bytes, rows];
      const mask = patches(lists, { queries: ofPatches ? "patches" : "bytes", rowsPerPatch });
      const bound = mask.bind({ queryLength: T, keyLength: S });
      const sees = lists.flatMap((_, b) =>
        Array.from({ length: T * S }, (_, i) => bound.sees(S - T + Math.floor(i / S), i % S, b, 0)),
      );
      return { attend: tensor(sees, { shape: [lists.length, 1, T, S], device: ids.device }) };
    },
  }),
  defineReferenceOp({
    name: "patch_reduce",
    inputs: ["hidden_states", "patch_ids"],
    attributes: { reduce: "amax" as const, max_num_patches: 0 },
    run: async ({ hidden_states: x, patch_ids: ids }, { max_num_patches: numPatches }) => ({
      patches: maxPoolPatches(x, await rowsOf(ids), numPatches),
    }),
  }),
  defineReferenceOp({
    name: "entropy of softmax(logits), natural logarithm",
    inputs: ["logits"],
    run({ logits }) {
      const logProbs = logSoftmax(logits);
      return { entropies: neg(sum(mul(exp(logProbs), logProbs), { axis: -1 })) };
    },
  }),
];
