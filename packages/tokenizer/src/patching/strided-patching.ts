import { ArgumentError } from "@qkv/core";
import type { Patcher } from "./patcher.js";

/**
 * Starts a patch every `size` bytes. With 1, each byte is a patch.
 *
 * @throws {ArgumentError} If `size` is not an integer of at least 1.
 * @see "MegaByte" (2023), arXiv:2305.07185
 *
 * @example
 * ```ts
 * import { stridedPatching, patchStarts } from "@qkv/tokenizer/patching";
 *
 * patchStarts("to be or not", stridedPatching(5)); // => [0, 5, 10]
 * ```
 */
export function stridedPatching(size: number): Patcher {
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new ArgumentError({
      fn: "stridedPatching",
      argument: "size",
      received: size,
      expected: "an integer number of bytes, 1 or more",
      fix: "use 4, about what a BPE token holds of English.",
    });
  }
  return {
    name: `stridedPatching(${size})`,
    readsEntropy: false,
    start() {
      let at = -1;
      return () => (at = (at + 1) % size) === 0;
    },
  };
}
