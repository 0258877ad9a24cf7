import type { Patcher } from "./patcher.js";

/**
 * Starts a patch after each space-like byte: any byte that is not a Latin letter, a digit or a continuation byte of
 * UTF-8. Of several in a row only the first ends a patch, so each patch also has other bytes.
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
      let hasOtherByte = false;
      return (previous) => {
        const endsPatch = hasOtherByte && previous !== undefined && isSpaceLike(previous);
        if (endsPatch) hasOtherByte = false;
        else if (previous !== undefined && !isSpaceLike(previous)) hasOtherByte = true;
        return endsPatch;
      };
    },
  };
}

function isSpaceLike(byte: number): boolean {
  const isDigit = byte >= 0x30 && byte <= 0x39;
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  const isContinuation = byte >= 0x80 && byte <= 0xbf;
  return !(isDigit || isLetter || isContinuation);
}
