import { checks, isList } from "@qkv/core";
import type { Extent, Mask, Range, TileClass } from "@qkv/attention-contract";
import { defineMask, firstQuery } from "../mask.js";
import { checkBatches, refuseBatch } from "./check-batches.js";

/** Alignment of queries and keys if their lengths differ. */
export type CausalOptions = {
  /**
   * `bottom-right` (default): the last query sees every key, as in decoding. `top-left`: the first query sees only
   * the first key, as PyTorch's `is_causal=True` and JAX have it.
   */
  align?: "bottom-right" | "top-left";
  /** Query i, counted from 0, sees keys up to i + offset. One number, or one per sequence of the batch. Replaces `align`. */
  offset?: number | readonly number[];
};

/**
 * Lets each query see itself and the keys before it, and no later key.
 *
 * Queries are the last `T` of `S` positions, so prefill, chunks and decoding (`T = 1`) are one call.
 *
 * @param options - For models from libraries that align differently; leave out for your own models.
 * @returns A mask for {@link attention}, whose inputs are query `[B, H, T, D]`, key and value `[B, Hkv, S, D]`.
 * @throws {ArgumentError} If `T > S` and neither `align` nor `offset` aligns them.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.2.3
 *
 * @example
 * ```ts
 * import { randn } from "@qkv/tensor";
 * import { attentionWeights, causal } from "@qkv/attention";
 *
 * const x = randn([1, 1, 3, 4], { seed: 1 }); // [B, H, T, D]
 * attentionWeights(x, x, { mask: causal() }).data[1]; // => 0
 * ```
 */
export function causal(options?: CausalOptions): Mask {
  const check = checks("causal");
  const { align, offset } = check.options(options, ["align", "offset"]);
  const choices = ["bottom-right", "top-left"];
  if (align !== undefined)
    check.oneOf({ align }, choices, "leave it out: queries are then the last T of S positions.");
  const offsets = typeof offset === "number" ? [offset] : offset;
  if (offsets !== undefined) {
    const fix = "give the number of keys before the first query.";
    const expected = "an integer number of tokens, or one per batch element";
    if (!isList(offsets) || !Array.from(offsets).every(Number.isInteger))
      check.refuse({ argument: "offset", received: offset, expected, fix });
  }
  const perBatch = typeof offset === "object";
  const given =
    offset !== undefined
      ? `offset: ${perBatch ? `[${offset.join(", ")}]` : offset}`
      : align && `align: "${align}"`;
  return defineMask({
    name: given ? `causal({ ${given} })` : "causal()",
    perBatch,
    bind(extent) {
      if (offsets && perBatch) checkBatches("causal", "offset", offsets, extent);
      if (offsets) return shifted((batch) => offsetOf(offsets, perBatch, batch) - firstQuery(extent));
      if (align === "top-left") return shifted(() => -firstQuery(extent));
      if (align === undefined) checkLengths(extent);
      return shifted(() => 0);
    },
  });
}

/** The rule by which query q sees keys up to q + shift. */
function shifted(shift: (batch: number) => number) {
  return {
    sees: (query: number, key: number, batch: number) => key <= query + shift(batch),
    tile: (query: Range, key: Range, batch: number): TileClass =>
      key.first > query.last + shift(batch)
        ? "none"
        : key.last <= query.first + shift(batch)
          ? "all"
          : "some",
  };
}

function offsetOf(offsets: readonly number[], perBatch: boolean, batch: number): number {
  return offsets[perBatch ? batch : 0] ?? refuseBatch("causal", "offset", offsets, batch);
}

function checkLengths({ queryLength, keyLength }: Extent): void {
  if (queryLength <= keyLength) return;
  checks("causal").refuse({
    argument: "mask",
    received: `over ${queryLength} queries and ${keyLength} keys`,
    expected: "no more queries than keys, since queries are the last T of S positions",
    fix: 'say how they align: `causal({ align: "top-left" })` or `causal({ align: "bottom-right" })`, where the first rows see nothing.',
  });
}
