import { copyPacked, refuse } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";

/**
 * The first index that does not pass, of those that the program has on the host. Those that are on the GPU alone are
 * checked there.
 *
 * @returns Undefined if all pass, or are not known here.
 */
export function indexFault(
  { store }: Context,
  { storage, dtype, shape, strides, offset }: View,
  passes: (index: number) => boolean,
): number | undefined {
  const array = store.hostArray({ storage });
  if (!array) return undefined;
  const all = copyPacked({ shape, strides, offset, dtype }, array);
  for (const index of all) if (!passes(index)) return index;
  return undefined;
}

/** Refuses indices that are known on the host and lie outside of an axis, as the plain device does. */
export function checkInside(context: Context, fn: string, indices: View, length: number): void {
  const wrong = indexFault(context, indices, (index) => index >= 0 && index < length);
  if (wrong === undefined) return;
  refuse(
    fn,
    "indices",
    wrong,
    `whole numbers from 0 to ${length - 1}`,
    fn === "take"
      ? "look up only what is there; for token ids, check that the tokenizer belongs to the model."
      : "point only at what is there; a negative index does not count from the end.",
  );
}
