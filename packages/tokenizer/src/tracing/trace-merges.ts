import { ArgumentError, checks } from "@qkv/core";
import { checkTokenizer } from "../check-arguments.js";
import type { Tokenizer } from "../tokenizer.js";

/** The merges of a text, in order. Tokens are written as in the vocabulary: a space is `Ġ`. */
export type MergeTrace = {
  /** The tokens before any merge: bytes, or characters. */
  readonly start: readonly string[];
  readonly steps: readonly MergeStep[];
};

export type MergeStep = {
  /** The merged pair. */
  readonly left: string;
  readonly right: string;
  /** Index in `tokens` of the new token. */
  readonly at: number;
  /** All tokens of the text after the merge. */
  readonly tokens: readonly string[];
};

/**
 * Traces the merges of a BPE tokenizer on a text. Pre-tokens, which merges stay within, are finished one after the
 * other.
 *
 * @param tokenizer - Any whose model merges: byte-level BPE, or SentencePiece's.
 * @returns Each step holds the whole text, so n merges of n tokens take n² memory: meant for short texts.
 * @throws {ArgumentError} If the tokenizer's model does not merge.
 *
 * @example
 * ```ts
 * import { byteLevelBpe } from "@qkv/tokenizer";
 * import { traceMerges } from "@qkv/tokenizer/tracing";
 *
 * const tokenizer = byteLevelBpe({ vocab: ["h", "u", "g", "s", "ug", "hug"], merges: ["u g", "h ug"] });
 * const { start, steps } = traceMerges(tokenizer, "hugs");
 * start; // => ["h", "u", "g", "s"]
 * steps.map(({ tokens }) => tokens.join(" ")); // => ["h ug s", "hug s"]
 * ```
 */
export function traceMerges(tokenizer: Pick<Tokenizer, "trace">, text: string): MergeTrace {
  const check = checks("traceMerges");
  checkTokenizer(check, { tokenizer }, ["trace"]);
  check.type({ text }, "string");
  const stages = tokenizer.trace(text, { addSpecialTokens: false }).parts.flatMap((part) => {
    if ("added" in part) return [[[part.added]]];
    return part.preTokens.map(({ steps }) => {
      if (steps) return steps;
      throw new ArgumentError({
        fn: "traceMerges",
        argument: "tokenizer",
        received: "a tokenizer whose model does not merge",
        expected: "one with byte-pair encoding",
        fix: "look at `tokenizer.trace(text)` for what each stage of another model does.",
      });
    });
  });
  const first = (stage: readonly (readonly string[])[]) => stage[0] ?? [];
  const start = stages.flatMap(first);
  const steps: MergeStep[] = [];
  let before: string[] = [];
  stages.forEach((stage, i) => {
    const after = stages.slice(i + 1).flatMap(first);
    for (let step = 1; step < stage.length; step++) {
      const [previous, current] = [stage[step - 1]!, stage[step]!];
      // With `ignore_merges` a pre-token in the vocabulary takes one step, which merges more than two.
      const at = Math.max(
        0,
        current.findIndex((token, i) => token !== previous[i]),
      );
      const [left, ...rest] = previous.slice(at, at + previous.length - current.length + 1);
      const tokens = [...before, ...current, ...after];
      steps.push({ left: left ?? "", right: rest.join(""), at: before.length + at, tokens });
    }
    before = before.concat(stage.at(-1) ?? []);
  });
  return { start, steps };
}
