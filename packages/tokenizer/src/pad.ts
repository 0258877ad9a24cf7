import { checks, type Checks } from "@qkv/core";
import { checkList, requireOptions } from "./check-arguments.js";

/** Padding of sequences to one length. */
export type Padding = {
  /** Id of the padding token. */
  readonly padId: number;
  /** Its type id. Default: 0. */
  readonly typeId?: number;
  /** The padded side. Default: `"right"`, the end. */
  readonly side?: "left" | "right";
  /** Minimum length. Default: that of the longest sequence. Unit: tokens. */
  readonly length?: number;
  /** Lengths are rounded up to a multiple of this. Default: 1. */
  readonly multipleOf?: number;
};

/**
 * Pads sequences to one length, with an attention mask.
 *
 * @param sequences - Ids of each text.
 * @returns `ids`, all of one length, and `attentionMask` of the same shape: 1 for a token, 0 for padding.
 *
 * @example
 * ```ts
 * import { pad } from "@qkv/tokenizer";
 *
 * pad([[5, 6, 7], [8]], { padId: 0 }); // => { ids: [[5, 6, 7], [8, 0, 0]], attentionMask: [[1, 1, 1], [1, 0, 0]] }
 * ```
 */
export function pad(
  sequences: readonly (readonly number[])[],
  padding: Padding,
): { ids: number[][]; attentionMask: number[][] } {
  const check = checks("pad");
  checkPadding(check, requireOptions(check, padding, "padding"));
  checkList(check, { sequences }, Array.isArray, "a list of the ids of each text");
  check.whole({ padId: padding.padId }, { min: 0 });
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const length = paddedLength(longest, padding);
  const fill = (sequence: readonly number[], value: number) => {
    const rest = new Array<number>(length - sequence.length).fill(value);
    return padding.side === "left" ? [...rest, ...sequence] : [...sequence, ...rest];
  };
  return {
    ids: sequences.map((sequence) => fill(sequence, padding.padId)),
    attentionMask: sequences.map((sequence) =>
      fill(
        sequence.map(() => 1),
        0,
      ),
    ),
  };
}

/** Checks the settings of padding, of which all may be left out. */
export function checkPadding<P extends Partial<Padding>>(check: Checks, padding: P): P {
  const names = ["padId", "typeId", "side", "length", "multipleOf"] as const;
  const {
    padId = 0,
    typeId = 0,
    side = "right",
    length = 0,
    multipleOf = 1,
  } = check.options<Partial<Padding>>(padding, names, "padding");
  check.whole({ padId, typeId }, { min: 0 });
  check.oneOf({ side }, ["left", "right"]);
  check.whole({ length }, { min: 0, unit: "tokens" });
  check.whole({ multipleOf }, { min: 1, unit: "tokens" });
  return padding;
}

/** The padded length of a sequence of `length`. */
export function paddedLength(length: number, { length: minLength = 0, multipleOf = 1 }: Padding): number {
  return Math.ceil(Math.max(length, minLength) / multipleOf) * multipleOf;
}
