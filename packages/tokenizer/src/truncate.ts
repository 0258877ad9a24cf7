/** How a sequence is cut to a length. */
export type Truncation = {
  /** The most tokens, those of the template included. */
  readonly maxLength: number;
  /** Where tokens are taken away. Default: `"right"`, the end. */
  readonly side?: "left" | "right";
  /** Of two texts, which is cut: always the longer one, only the first, or only the second. Default: `"longest"`. */
  readonly which?: "longest" | "first" | "second";
};

/**
 * How many tokens of each text stay.
 *
 * @param lengths - Tokens of the first text, and of the second or 0.
 * @param around - Tokens of the template around them.
 */
export function keptLengths(
  lengths: readonly [number, number],
  around: number,
  { maxLength, which = "longest" }: Truncation,
): [number, number] {
  const [first, second] = lengths;
  const room = Math.max(0, maxLength - around);
  const over = Math.max(0, first + second - room);
  if (which === "first") return [Math.max(0, first - over), second];
  if (which === "second") return [first, Math.max(0, second - over)];
  // The longer one gives first, then both in turn: the shorter keeps half, if it has as much.
  const half = Math.floor(room / 2);
  if (over === 0) return [first, second];
  if (first <= half) return [first, room - first];
  if (second <= half) return [room - second, second];
  return first >= second ? [room - half, half] : [half, room - half];
}
