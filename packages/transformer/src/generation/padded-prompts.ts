import type { Checks } from "@qkv/core";
import type { KvCache } from "@qkv/kv-cache";
import { isId } from "../models/check-ids.js";

/** Refuses a padding id that is not a token of the model. */
export function checkPadId(check: Checks, padId: number | undefined, vocabSize: number): number | undefined {
  if (padId !== undefined) {
    const fix = "leave it out, so that processors see no padding.";
    check.each({ padId }, (id) => isId(id, vocabSize), `a token id from 0 to ${vocabSize - 1}`, fix);
  }
  return padId;
}

/** Prompts as seen by logits processors: left-padded to the length of the longest, if there is a padding id. */
export function paddedPrompts(
  prompts: readonly (readonly number[])[],
  padId: number | undefined,
): readonly (readonly number[])[] {
  if (padId === undefined) return prompts;
  const longest = Math.max(0, ...prompts.map(({ length }) => length));
  return prompts.map((ids) => [...Array.from({ length: longest - ids.length }, () => padId), ...ids]);
}

/** Refuses a cache that is not empty or cannot reorder its batches. */
export function checkEmptyCache(check: Checks, cache: KvCache): void {
  check.each(
    { cache },
    (value) => typeof (value as Partial<KvCache> | null)?.reorder === "function",
    "a cache that can reorder its batches",
    "take a cache of @qkv/kv-cache, or leave it out.",
  );
  if (cache.length === 0) return;
  check.refuse({
    argument: "cache",
    received: `a cache of ${cache.length} tokens`,
    expected: "an empty one",
    fix: "call its `reset()` first, or leave it out; `generate` continues what a cache holds.",
  });
}

/** Refuses an option of beam search in a function that continues one sequence at a time. */
export function refuseBeams(check: Checks, options: object | undefined): void {
  const given = Object.entries(options ?? {}).find(([name]) => /^num_?beams$/i.test(name));
  if (!given) return;
  const fix = "call `beamSearch(model, prompts, { numBeams })`.";
  check.refuse({ argument: given[0], received: given[1], expected: "no option of beam search", fix });
}
