import { refuse } from "@qkv/core";
import type { Extent, Mask, Range, TileClass } from "@qkv/tensor";
import { defineMask, firstQuery } from "../mask.js";

/** How queries and keys of different lengths are laid against each other. */
export type CausalOptions = {
  /**
   * `bottom-right` (default): the last query sees every key, as in decoding. `top-left`: the first query sees only
   * the first key, as PyTorch's `is_causal=True` and JAX have it.
   */
  align?: "bottom-right" | "top-left";
  /** Query i (counted from 0) sees keys up to i + offset. One number, or one per batch. Replaces `align`. */
  offset?: number | readonly number[];
};

/**
 * Lets each query see itself and the keys before it: no looking ahead.
 *
 * Queries are the last `T` of `S` positions, so prefill, chunks and decoding (`T = 1`) are one call.
 *
 * @param options - For ports from libraries that align otherwise; leave out for your own models.
 * @returns A mask for {@link attention}, whose inputs are query `[B, H, T, D]`, key and value `[B, Hkv, S, D]`.
 * @throws {ArgumentError} If `T > S` and neither `align` nor `offset` says how they lie.
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
export function causal({ align, offset }: CausalOptions = {}): Mask {
  if (align !== undefined && align !== "bottom-right" && align !== "top-left") {
    const fix = "leave it out: queries are then the last T of S positions.";
    refuse("causal", "align", align, '"bottom-right" or "top-left"', fix);
  }
  const offsets = typeof offset === "number" ? [offset] : offset;
  if (offsets?.some((n) => !Number.isInteger(n))) {
    const fix = "give how many keys lie before the first query.";
    refuse("causal", "offset", offset, "a whole number of tokens, or one per batch", fix);
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
      if (offsets) return shifted((batch) => offsetOf(offsets, perBatch, batch) - firstQuery(extent));
      if (align === "top-left") return shifted(() => -firstQuery(extent));
      if (align === undefined) checkLengths(extent);
      return shifted(() => 0);
    },
  });
}

/** Query q sees keys up to q + shift. */
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
  const own = offsets[perBatch ? batch : 0];
  if (own !== undefined) return own;
  const expected = `one per batch, and there is a batch ${batch}`;
  refuse("causal", "offset", `${offsets.length} offsets`, expected, "give as many as the query has batches.");
}

function checkLengths({ queryLength, keyLength }: Extent): void {
  if (queryLength <= keyLength) return;
  refuse(
    "causal",
    "mask",
    `over ${queryLength} queries and ${keyLength} keys`,
    "no more queries than keys, since queries are the last T of S positions",
    'say how they lie: `causal({ align: "top-left" })` or `causal({ align: "bottom-right" })`, where the first rows see nothing.',
  );
}
