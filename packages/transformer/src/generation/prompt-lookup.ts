import { checks } from "@qkv/core";

/** Options of prompt lookup decoding: the tokens that followed an earlier occurrence of the last n-gram are the draft. */
export type PromptLookupOptions = {
  /** Length of the n-gram that must occur earlier. Shorter ones are tried if it does not. Default 3. */
  ngramSize?: number;
  /** Maximum number of draft tokens per step. Default 8. */
  draftLength?: number;
};

/**
 * Drafts tokens by prompt lookup: those that followed the last earlier occurrence of the last `ngramSize` tokens. If
 * there is none, the draft is empty.
 *
 * @see "Prompt Lookup Decoding" (2023), apoorvumang/prompt-lookup-decoding
 *
 * @example
 * ```ts
 * import { promptLookup } from "@qkv/transformer";
 *
 * promptLookup([5, 1, 2, 3, 4, 9, 1, 2], { draftLength: 2 }); // => [3, 4]
 * ```
 */
export function promptLookup(ids: readonly number[], options?: PromptLookupOptions): number[] {
  const check = checks("promptLookup");
  const { ngramSize = 3, draftLength = 8 } = check.options(options, ["ngramSize", "draftLength"]);
  check.whole({ ngramSize, draftLength }, { min: 1, fix: "leave it out for the default." });
  check.each({ ids }, Array.isArray, "a list of token ids");
  for (let size = Math.min(ngramSize, ids.length - 1); size > 0; size--) {
    const last = ids.length - size;
    for (let index = last - 1; index >= 0; index--) {
      let matches = 0;
      while (matches < size && ids[index + matches] === ids[last + matches]) matches += 1;
      if (matches === size) return ids.slice(index + size, index + size + draftLength);
    }
  }
  return [];
}
