import { checks } from "@qkv/core";
import { checkList, requireOptions } from "./check-arguments.js";
/** How sequences are filled up to one length. */
export type Padding = {
  /** The token that fills. */
  readonly padId: number;
  /** Its type. Default: 0. */
  readonly typeId?: number;
  /** Where it is put. Default: `"right"`, the end. */
  readonly side?: "left" | "right";
  /** The least length. Default: that of the longest. Unit: tokens. */
  readonly length?: number;
  /** Lengths are rounded up to a multiple of this. Default: 1. */
  readonly multipleOf?: number;
};

/**
 * Fills sequences up to one length, and says which tokens are real.
 *
 * @param sequences - Ids of each text.
 * @returns `ids`, all of one length, and `mask` of the same shape: 1 for a token, 0 for what fills.
 *
 * @example
 * ```ts
 * import { pad } from "@qkv/tokenizer";
 *
 * pad([[5, 6, 7], [8]], { padId: 0 }); // => { ids: [[5, 6, 7], [8, 0, 0]], mask: [[1, 1, 1], [1, 0, 0]] }
 * ```
 */
export function pad(
  sequences: readonly (readonly number[])[],
  padding: Padding,
): { ids: number[][]; mask: number[][] } {
  const check = checks("pad");
  check.options(
    requireOptions(check, padding, "padding"),
    ["padId", "typeId", "side", "length", "multipleOf"],
    "padding",
  );
  checkList(check, { sequences }, Array.isArray, "a list of the ids of each text");
  check.whole({ padId: padding.padId }, { min: 0 });
  const { side = "right", length: least = 0, multipleOf = 1 } = padding;
  check.oneOf({ side }, ["left", "right"]);
  check.whole({ length: least }, { min: 0, unit: "tokens" });
  check.whole({ multipleOf }, { min: 1, unit: "tokens" });
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const length = paddedLength(longest, padding);
  const fill = (sequence: readonly number[], value: number) => {
    const rest = new Array<number>(length - sequence.length).fill(value);
    return padding.side === "left" ? [...rest, ...sequence] : [...sequence, ...rest];
  };
  return {
    ids: sequences.map((sequence) => fill(sequence, padding.padId)),
    mask: sequences.map((sequence) =>
      fill(
        sequence.map(() => 1),
        0,
      ),
    ),
  };
}

/** The length that a sequence of `length` is filled up to. */
export function paddedLength(length: number, { length: least = 0, multipleOf = 1 }: Padding): number {
  return Math.ceil(Math.max(length, least) / multipleOf) * multipleOf;
}
