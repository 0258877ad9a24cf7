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
