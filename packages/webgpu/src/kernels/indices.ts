import { copyPacked, refuse } from "@qkv/core";
import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";

/**
 * The first index on the host that fails a test. Indices that are only on the GPU are checked by the kernel.
 *
 * @returns Undefined if all pass, or if the host does not have them.
 */
export function firstInvalidIndex(
  { store }: Context,
  { storage, dtype, shape, strides, offset }: View,
  passes: (index: number) => boolean,
): number | undefined {
  const array = store.hostArray({ storage });
  if (!array) return undefined;
  const values = copyPacked({ shape, strides, offset, dtype }, array);
  for (const index of values) if (!passes(index)) return index;
  return undefined;
}

/** Refuses indices out of range if the host has them, with the error of the plain device. */
export function checkIndices(context: Context, fn: string, indices: View, length: number): void {
  const invalid = firstInvalidIndex(context, indices, (index) => index >= 0 && index < length);
  if (invalid === undefined) return;
  refuse(
    fn,
    "indices",
    invalid,
    `integers from 0 to ${length - 1}`,
    fn === "take"
      ? "look up only what is there; for token ids, check that the tokenizer belongs to the model."
      : "point only at what is there; a negative index does not count from the end.",
  );
}
