import { checks, isList } from "@qkv/core";
import type { Mask, Range } from "@qkv/attention-contract";
import { defineMask, firstQuery } from "../mask.js";
import { checkBatches, refuseBatch } from "./check-batches.js";
import { idsInRange, withRuns, type IdRuns } from "./id-runs.js";

const fix = "give each byte the number of its patch: [0, 1, 1, 2] are patches of 1, 2 and 1 bytes.";
const check = /* @__PURE__ */ checks("patches", { fix });

export type PatchesOptions = {
  /**
   * Side of the cross-attention to which the queries belong. `"patches"`: each patch attends to its bytes, as in BLT's encoder.
   * `"bytes"`: each byte attends to its patch, as in BLT's decoder. Default `"patches"`.
   */
  queries?: "patches" | "bytes";
  /** Number of consecutive rows that represent one patch: `cross_attn_k` in BLT. Default 1. */
  rowsPerPatch?: number;
};

/**
 * The mask of cross-attention between patches and bytes in the Byte Latent Transformer: a patch and a byte see each other if the
 * byte belongs to the patch. Rows of patches are numbered from 0, whatever the lengths of both sides.
 *
 * @param patchIds - Patch of each byte, ascending from 0, as `patchIds` of `@qkv/tokenizer/patching` returns: `[bytes]`, or
 *   `[B][bytes]` if the sequences of the batch differ.
 * @throws {ArgumentError} If there are fewer ids than bytes, or the number of lists differs from the batch size.
 * @see "Byte Latent Transformer: Patches Scale Better Than Tokens" (2024), arXiv:2412.09871, section 3.2
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, patches } from "@qkv/attention";
 *
 * const [patch, bytes] = [zeros([1, 1, 2, 4]), zeros([1, 1, 3, 4])]; // [B, H, T, D], [B, H, S, D]
 * attentionWeights(patch, bytes, { mask: patches([0, 1, 1]) }).toNested(); // => [[[[1, 0, 0], [0, 0.5, 0.5]]]]
 * ```
 */
export function patches(
  patchIds: ArrayLike<number> | readonly ArrayLike<number>[],
  options?: PatchesOptions,
): Mask {
  const { queries = "patches", rowsPerPatch = 1 } = check.options(options, ["queries", "rowsPerPatch"]);
  check.oneOf({ queries }, ["patches", "bytes"], "name the side that asks.");
  check.whole({ rowsPerPatch }, { min: 1, unit: "rows", fix: "1 gives each patch one row." });
  check.list({ patchIds }, "patches, one for each byte, or such a list per batch element");
  const perBatch = isList(patchIds[0]);
  const lists = (
    perBatch ? Array.from(patchIds as readonly ArrayLike<number>[]) : [patchIds as ArrayLike<number>]
  ).map((list) => {
    check.list({ patchIds: list }, "integers, 0 or more", isPatch);
    return withRuns(list);
  });
  const of = (batch: number): IdRuns =>
    lists[perBatch ? batch : 0] ?? refuseBatch("patches", "patchIds", lists, batch);
  const patchOf = (row: number) => Math.floor(row / rowsPerPatch);
  return defineMask({
    name: `patches([${perBatch ? `${lists.length} × ` : ""}${lists[0]?.ids.length ?? 0}], ${queries})`,
    perBatch,
    bind(extent) {
      const [first, ofPatches] = [firstQuery(extent), queries === "patches"];
      const bytes = ofPatches ? extent.keyLength : extent.queryLength;
      if (perBatch) checkBatches("patches", "patchIds", lists, extent);
      for (const { ids } of lists) {
        if (ids.length >= bytes) continue;
        const expected = `one for each of ${bytes} bytes`;
        check.refuse({ argument: "patchIds", received: `${ids.length} ids`, expected });
      }
      /** The row of a patch and the index of a byte, from the positions of query and key. */
      const sides = <X>(query: X, key: X): [patch: X, byte: X] => (ofPatches ? [query, key] : [key, query]);
      const fromFirst = ({ first: from, last }: Range) => ({ first: from - first, last: last - first });
      return {
        sees(query, key, batch) {
          const [row, byte] = sides(query - first, key);
          return of(batch).ids[byte] === patchOf(row);
        },
        tile(query, key, batch) {
          const [rows, range] = sides(fromFirst(query), key);
          const [from, to] = [patchOf(rows.first), patchOf(rows.last)];
          const found = [...idsInRange(of(batch), range)];
          if (!found.some((id) => id !== undefined && from <= id && id <= to)) return "none";
          return from === to && found.length === 1 ? "all" : "some";
        },
      };
    },
  });
}

const isPatch = (id: unknown): boolean => Number.isSafeInteger(id) && (id as number) >= 0;
