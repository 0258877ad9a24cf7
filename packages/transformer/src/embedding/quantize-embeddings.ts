import { checks, type Checks } from "@qkv/core";
import { packSigns } from "../pipeline/pack-signs.js";

/** Minimum and maximum per dimension: the range of 8-bit quantization. */
export type EmbeddingRanges = { readonly min: ArrayLike<number>; readonly max: ArrayLike<number> };

/**
 * Precision of quantized embeddings: 8 bits per dimension (`int8` from -128, `uint8` from 0), or signs, 8 per byte with the first in
 * the highest bit (`binary` from -128, `ubinary` from 0).
 */
export type EmbeddingPrecision = "int8" | "uint8" | "binary" | "ubinary";

/**
 * Quantizes embeddings to 8 bits or 1 bit per dimension: a quarter or a 32nd of the memory.
 *
 * @param embeddings - From `embed`, all of the same length.
 * @param precision - `binary` and `ubinary` require a length divisible by 8.
 * @param options - `ranges`: for 8 bits, the ranges of other embeddings, so that a query is quantized like the documents. Default:
 *   the ranges of these embeddings, from {@link embeddingRanges}.
 * @throws {ArgumentError} If lengths differ, or are not divisible by 8 for `binary` and `ubinary`.
 * @see "Efficient Passage Retrieval with Hashing" (2021), arXiv:2106.00882
 *
 * @example
 * ```ts
 * import { quantizeEmbeddings } from "@qkv/transformer";
 *
 * const [a, b] = quantizeEmbeddings([Float32Array.of(0, -1), Float32Array.of(1, 1)], "uint8");
 * [...a, ...b]; // => [0, 0, 255, 255]
 * const [signs] = quantizeEmbeddings([Float32Array.of(1, -1, 1, 1, -1, -1, -1, 1)], "ubinary");
 * signs[0]; // => 0b10110001
 * ```
 */
export function quantizeEmbeddings(
  embeddings: readonly Float32Array[],
  precision: "int8" | "binary",
  options?: { ranges?: EmbeddingRanges },
): Int8Array[];
export function quantizeEmbeddings(
  embeddings: readonly Float32Array[],
  precision: "uint8" | "ubinary",
  options?: { ranges?: EmbeddingRanges },
): Uint8Array[];
export function quantizeEmbeddings(
  embeddings: readonly Float32Array[],
  precision: EmbeddingPrecision,
  options?: { ranges?: EmbeddingRanges },
): (Int8Array | Uint8Array)[] {
  const check: Checks = checks("quantizeEmbeddings");
  const width = checkWidth(check, embeddings);
  check.oneOf({ precision }, ["int8", "uint8", "binary", "ubinary"]);
  const { ranges } = check.options(options, ["ranges"]);
  if (precision === "binary" || precision === "ubinary") {
    if (width % 8 !== 0) {
      check.refuse({
        argument: "precision",
        received: precision,
        expected: `int8 or uint8, as 8 does not divide the ${width} dimensions of an embedding`,
        fix: "embed with `dimensions` that 8 divides.",
      });
    }
    return embeddings.map((embedding) => packSigns(embedding, precision));
  }
  const { min, max } = ranges ?? embeddingRanges(embeddings);
  const isWide = (list: unknown) => (list as ArrayLike<number> | null)?.length === width;
  check.each(
    { "ranges.min": min, "ranges.max": max },
    isWide,
    `${width} dimensions`,
    "take `embeddingRanges(…)`.",
  );
  const first = precision === "int8" ? -128 : 0;
  const levels = (embedding: Float32Array): number[] =>
    Array.from(embedding, (value, i) => {
      const step = (max[i]! - min[i]!) / 255;
      const level = step > 0 ? (value - min[i]!) / step : 0;
      return Math.trunc(Math.min(255, Math.max(0, level)) + first);
    });
  return embeddings.map((embedding) =>
    precision === "int8" ? Int8Array.from(levels(embedding)) : Uint8Array.from(levels(embedding)),
  );
}

/**
 * Computes minimum and maximum per dimension, for {@link quantizeEmbeddings}.
 *
 * @throws {ArgumentError} If lengths differ.
 *
 * @example
 * ```ts
 * import { embeddingRanges } from "@qkv/transformer";
 *
 * const { min, max } = embeddingRanges([Float32Array.of(1, 5), Float32Array.of(3, 2)]);
 * [...min, ...max]; // => [1, 2, 3, 5]
 * ```
 */
export function embeddingRanges(embeddings: readonly Float32Array[]): {
  min: Float32Array;
  max: Float32Array;
} {
  const width = checkWidth(checks("embeddingRanges"), embeddings);
  const min = new Float32Array(width).fill(Infinity);
  const max = new Float32Array(width).fill(-Infinity);
  for (const embedding of embeddings) {
    embedding.forEach((value, i) => {
      min[i] = Math.min(min[i]!, value);
      max[i] = Math.max(max[i]!, value);
    });
  }
  return { min, max };
}

function checkWidth(check: Checks, embeddings: readonly Float32Array[]): number {
  const isEmbedding = (value: unknown) => value instanceof Float32Array;
  check.list({ embeddings }, "Float32Arrays", isEmbedding, "give what `embed` returns.");
  const width = embeddings[0]?.length ?? 0;
  const hasOneWidth = () => embeddings.every(({ length }) => length === width);
  check.each(
    { embeddings },
    hasOneWidth,
    `embeddings of one length, ${width}`,
    "embed all of them by one model.",
  );
  return width;
}
