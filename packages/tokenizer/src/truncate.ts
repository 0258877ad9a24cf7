import type { Checks } from "@qkv/core";

/** Truncation of sequences to a length. */
export type Truncation = {
  /** Maximum number of tokens, including those of the template. */
  readonly maxLength: number;
  /** The side from which tokens are removed. Default: `"right"`, the end. */
  readonly side?: "left" | "right";
  /** The text of a pair that is truncated: the longer one, only the first, or only the second. Default: `"longestFirst"`. */
  readonly strategy?: "longestFirst" | "onlyFirst" | "onlySecond";
};

/**
 * Numbers of tokens that remain of each text.
 *
 * @param lengths - Tokens of the first text, and of the second or 0.
 * @param specialTokens - Number of special tokens in the template.
 */
export function truncatedLengths(
  lengths: readonly [number, number],
  specialTokens: number,
  { maxLength, strategy = "longestFirst" }: Truncation,
): [number, number] {
  const [first, second] = lengths;
  const room = Math.max(0, maxLength - specialTokens);
  const over = Math.max(0, first + second - room);
  if (strategy === "onlyFirst") return [Math.max(0, first - over), second];
  if (strategy === "onlySecond") return [first, Math.max(0, second - over)];
  // The longer one is truncated first, then both alternately: the shorter keeps half, if it has as much.
  const half = Math.floor(room / 2);
  if (over === 0) return [first, second];
  if (first <= half) return [first, room - first];
  if (second <= half) return [room - second, second];
  return first >= second ? [room - half, half] : [half, room - half];
}

/**
 * The start and end of the tokens that remain of each text; all of them without truncation.
 *
 * @param lengths - Tokens of one text, or of two.
 */
export function keptRanges(
  lengths: readonly number[],
  specialTokens: number,
  truncation: Truncation | undefined,
): [from: number, to: number][] {
  if (!truncation) return lengths.map((length) => [0, length]);
  const kept = truncatedLengths([lengths[0]!, lengths[1] ?? 0], specialTokens, truncation);
  return lengths.map((length, i) => {
    const from = truncation.side === "left" ? length - kept[i]! : 0;
    return [from, from + kept[i]!];
  });
}

/** Checks the settings of truncation. */
export function checkTruncation(check: Checks, truncation: Truncation): Truncation {
  const names = ["maxLength", "side", "strategy"] as const;
  const {
    maxLength,
    side = "right",
    strategy = "longestFirst",
  } = check.options(truncation, names, "truncation");
  check.whole({ "truncation.maxLength": maxLength }, { min: 1, unit: "tokens" });
  check.oneOf({ side }, ["left", "right"]);
  check.oneOf({ strategy }, ["longestFirst", "onlyFirst", "onlySecond"]);
  return truncation;
}
