import type { Patcher } from "./patcher.js";

/**
 * Starts a patch after each space-like byte: any byte that is no Latin letter, no digit and no continuation byte of
 * UTF-8. Of several in a row only the first ends a patch, so each patch holds something else too.
 *
 * It needs no model, but does not fit text without spaces: in Thai or Chinese the first byte of every character counts as
 * one, and numbers are one patch however long.
 *
 * @see "Byte Latent Transformer" (2024), arXiv:2412.09871, section 2.2; "SpaceByte" (2024), arXiv:2404.14408
 *
 * @example
 * ```ts
 * import { spacePatching, patchStarts } from "@qkv/tokenizer/patching";
 *
 * patchStarts("to be, or", spacePatching()); // => [0, 3, 6]
 * ```
 */
export function spacePatching(): Patcher {
  return {
    name: "spacePatching()",
    readsEntropy: false,
    start() {
      let holdsMore = false;
      return (previous) => {
        const ends = holdsMore && previous !== undefined && isSpaceLike(previous);
        if (ends) holdsMore = false;
        else if (previous !== undefined && !isSpaceLike(previous)) holdsMore = true;
        return ends;
      };
    },
  };
}

function isSpaceLike(byte: number): boolean {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  const continues = byte >= 0x80 && byte <= 0xbf;
  return !(isDigit || isLetter || continues);
}
