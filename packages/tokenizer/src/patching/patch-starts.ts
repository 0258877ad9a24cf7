import { checks } from "@qkv/core";
import { checkTextOrBytes } from "../check-arguments.js";
import { checkEntropy, toBytes, type ByteEntropy } from "./byte-entropy.js";
import { checkPatcher } from "./patch-stream.js";
import type { Patcher } from "./patcher.js";

/**
 * Returns the offsets at which the patches of a text start.
 *
 * @param text - Bytes, or a string for its UTF-8.
 * @param entropy - A model of bytes, required by patchers that use entropies, or the precomputed entropy of each
 *   byte.
 * @returns Increasing offsets in bytes, from 0; an empty list for an empty text. A patch ends where the next one starts.
 * @throws {ArgumentError} If the patcher needs entropies and there are none, or they are invalid.
 *
 * @example
 * ```ts
 * import { englishBytes } from "@qkv/tokenizer/english-bytes";
 * import { globalThreshold, patchStarts } from "@qkv/tokenizer/patching";
 *
 * const starts = patchStarts("the attention of the model", globalThreshold(1.8), englishBytes());
 * starts.length < 26; // => true
 * ```
 */
export function patchStarts(
  text: string | Uint8Array,
  patcher: Patcher,
  entropy?: ByteEntropy | ArrayLike<number>,
): number[] {
  checkPatcher("patchStarts", patcher, entropy);
  checkTextOrBytes(checks("patchStarts"), { text });
  const bytes = toBytes(text);
  const rule = patcher.start();
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const isStart = rule(bytes[at - 1], patcher.readsEntropy ? entropyAt(bytes, at, entropy!) : 0);
    if (at === 0 || isStart) starts.push(at);
  }
  return starts;
}

function entropyAt(bytes: Uint8Array, at: number, entropy: ByteEntropy | ArrayLike<number>): number {
  if (typeof entropy !== "function") return checkEntropy("patchStarts", entropy[at]!);
  const from = Math.max(0, at - (entropy.context ?? Infinity));
  return checkEntropy("patchStarts", entropy(bytes.subarray(from, at)));
}
