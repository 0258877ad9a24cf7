import { checks } from "@qkv/core";

/**
 * Patch lengths from patch starts.
 *
 * @param starts - Offsets from {@link patchStarts}: increasing, from 0.
 * @param length - Bytes of the text.
 * @throws {ArgumentError} If the offsets do not rise from 0 to below `length`.
 *
 * @example
 * ```ts
 * import { patchLengths, patchStarts, spacePatching } from "@qkv/tokenizer/patching";
 *
 * patchLengths(patchStarts("to be or", spacePatching()), 8); // => [3, 3, 2]
 * ```
 */
export function patchLengths(starts: ArrayLike<number>, length: number): number[] {
  const check = checks("patchLengths");
  check.whole({ length }, { min: 0, unit: "bytes" });
  check.list({ starts }, "integers", Number.isSafeInteger);
  const offsets = Array.from(starts);
  const wrong = offsets.findIndex(
    (start, i) => (i === 0 ? start !== 0 : start <= offsets[i - 1]!) || start >= length,
  );
  if (wrong >= 0 || (offsets.length === 0 && length > 0)) {
    check.refuse({
      argument: "starts",
      received: wrong >= 0 ? offsets[wrong] : "an empty list",
      expected: `offsets that rise from 0 to below ${length}`,
      fix: "give what `patchStarts` returned, and the number of bytes of the same text.",
    });
  }
  return offsets.map((start, i) => (offsets[i + 1] ?? length) - start);
}

/**
 * The patch id of each byte, from patch lengths: the input of `patches` and `maxPoolPatches` of `@qkv/attention`.
 *
 * @throws {ArgumentError} If a length is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { patchIds } from "@qkv/tokenizer/patching";
 *
 * [...patchIds([1, 3, 2])]; // => [0, 1, 1, 1, 2, 2]
 * ```
 */
export function patchIds(lengths: ArrayLike<number>): Int32Array {
  const list = checkLengths("patchIds", lengths);
  return Int32Array.from(list.flatMap((length, patch) => Array<number>(length).fill(patch)));
}

/**
 * Splits long patches into patches of `maxLength` bytes and a rest. Empty patches are
 * removed.
 *
 * @throws {ArgumentError} If `maxLength` is not an integer of at least 1, or a length is invalid.
 * @see `max_patch_length` of "Byte Latent Transformer" (2024), arXiv:2412.09871
 *
 * @example
 * ```ts
 * import { splitPatches } from "@qkv/tokenizer/patching";
 *
 * splitPatches([2, 8], 3); // => [2, 3, 3, 2]
 * ```
 */
export function splitPatches(lengths: ArrayLike<number>, maxLength: number): number[] {
  const list = checkLengths("splitPatches", lengths);
  checks("splitPatches").whole({ maxLength }, { min: 1, unit: "bytes" });
  return list.flatMap((length) => {
    const rest = length % maxLength;
    return [...Array<number>(Math.floor(length / maxLength)).fill(maxLength), ...(rest > 0 ? [rest] : [])];
  });
}

/**
 * The patch lengths of a BLT model over its tokens, from the entropy after each: token 0 (the start token) and token 1
 * start patches, and so does each token that follows an entropy above the threshold. The last entropy is that of the next
 * token: if it is above the threshold, the last patch has length 0.
 *
 * For text without a start token, and other rules than a threshold, see {@link patchStarts}.
 *
 * @param entropies - Entropy of the distribution after each token. Unit: nats.
 * @param threshold - Unit: nats.
 * @throws {ArgumentError} If an entropy or the threshold is not a number.
 * @see "Byte Latent Transformer" (2024), arXiv:2412.09871, section 2.3
 *
 * @example
 * ```ts
 * import { bltPatchLengths } from "@qkv/tokenizer/patching";
 *
 * bltPatchLengths([0.4, 0.1, 1.5, 0.9, 1.2], 1); // => [1, 2, 2, 0]
 * ```
 */
export function bltPatchLengths(entropies: ArrayLike<number>, threshold: number): number[] {
  const check = checks("bltPatchLengths");
  check.list({ entropies }, "numbers of nats", Number.isFinite);
  check.finite({ threshold });
  const [tokens, starts] = [entropies.length, [0]];
  if (tokens > 1) starts.push(1);
  for (let token = 1; token < tokens; token++) if (entropies[token]! > threshold) starts.push(token + 1);
  return tokens === 0 ? [] : starts.map((start, i) => (starts[i + 1] ?? tokens) - start);
}

function checkLengths(fn: string, lengths: ArrayLike<number>): number[] {
  const isLength = (length: unknown) => Number.isSafeInteger(length) && (length as number) >= 0;
  checks(fn).list({ lengths }, "integer lengths in bytes, 0 or more", isLength);
  return Array.from(lengths);
}
