import { checks } from "@qkv/core";

/** Guesses what comes next from what was said: where the last tokens stood before, what followed them follows again. */
export type PromptLookupOptions = {
  /** How many of the last tokens must stand before. Fewer are tried where so many do not. Default 3. */
  ngramSize?: number;
  /** How many tokens are guessed at most. Default 8. */
  draftLength?: number;
};

/**
 * A guess of the next tokens: what followed the last `ngramSize` tokens where they stood last before. Nothing, if they
 * stand nowhere.
 *
 * @see "Prompt Lookup Decoding" (2023), apoorvumang/prompt-lookup-decoding
 *
 * @example
 * ```ts
 * import { promptLookup } from "@qkv/transformer";
 *
 * promptLookup([5, 1, 2, 3, 4, 9, 1, 2], { length: 2 }); // => [3, 4]
 * ```
 */
export function promptLookup(ids: readonly number[], options?: PromptLookupOptions): number[] {
  const check = checks("promptLookup");
  const { ngramSize = 3, draftLength = 8 } = check.options(options, ["ngramSize", "draftLength"]);
  check.whole({ ngramSize, draftLength }, { min: 1, fix: "leave it out for the default." });
  check.each({ ids }, Array.isArray, "a list of token ids");
  for (let size = Math.min(ngramSize, ids.length - 1); size > 0; size--) {
    const last = ids.length - size;
    for (let at = last - 1; at >= 0; at--) {
      let same = 0;
      while (same < size && ids[at + same] === ids[last + same]) same += 1;
      if (same === size) return ids.slice(at + size, at + size + draftLength);
    }
  }
  return [];
}
