import { checks, isList } from "@qkv/core";
import type { Mask } from "@qkv/attention-contract";
import { defineMask } from "../mask.js";
import { checkBatches, refuseBatch } from "./check-batches.js";
import { idsInRange, withRuns, type IdRuns } from "./id-runs.js";

const fix = "give each position the number of its document: [0, 0, 0, 1, 1] packs three tokens and two.";
const check = /* @__PURE__ */ checks("documents", { argument: "ids", fix });

/**
 * Masks attention between documents that are packed into one sequence: a query sees only the keys of its own document, which have
 * the same id. Each document gets the same result as by itself, and the work is the sum of the squared lengths instead of the square
 * of their sum.
 *
 * For language models combine it: `and(causal(), documents(ids))`.
 *
 * @param ids - Document id of each position, any numbers: `[S]`, or `[B][S]` if the sequences of the batch are packed
 *   differently. May be longer than the sequence so far.
 * @throws {ArgumentError} If there are fewer ids than positions, or the number of lists differs from the batch size.
 * @see "Efficient Sequence Packing without Cross-contamination" (2021), arXiv:2107.02027
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, documents } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 3, 2]); // [B, H, T, D]: all keys match equally
 * const { data } = attentionWeights(x, x, { mask: documents([0, 0, 1]) });
 * [...data]; // => [0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0, 1]
 * ```
 */
export function documents(ids: ArrayLike<number> | readonly ArrayLike<number>[]): Mask {
  if (!isList(ids))
    check.refuse({
      received: ids,
      expected: "a list of numbers, one for each position, or such a list per batch element",
    });
  const perBatch = typeof ids[0] === "object";
  const lists = (perBatch ? Array.from(ids as readonly ArrayLike<number>[]) : [ids as ArrayLike<number>]).map(
    (list) => {
      checks("documents").list({ ids: list }, "numbers, one for each position", Number.isFinite, fix);
      return withRuns(list);
    },
  );
  const of = (batch: number): IdRuns =>
    lists[perBatch ? batch : 0] ?? refuseBatch("documents", "ids", lists, batch);
  return defineMask({
    name: `documents([${perBatch ? `${lists.length} × ` : ""}${lists[0]!.ids.length}])`,
    perBatch,
    bind(extent) {
      const { keyLength } = extent;
      if (perBatch) checkBatches("documents", "ids", lists, extent);
      for (const list of lists) {
        if (list.ids.length < keyLength)
          check.refuse({
            received: `${list.ids.length} ids`,
            expected: `one for each of ${keyLength} positions`,
          });
      }
      return {
        sees(query, key, batch) {
          const { ids } = of(batch);
          return ids[query] !== undefined && ids[query] === ids[key];
        },
        tile(query, key, batch) {
          const [asking, asked] = [idsInRange(of(batch), query), idsInRange(of(batch), key)];
          const shared = [...asking].filter((id) => id !== undefined && asked.has(id));
          return shared.length === 0 ? "none" : asking.size === 1 && asked.size === 1 ? "all" : "some";
        },
      };
    },
  });
}
