import { checks } from "@qkv/core";
import { compilePattern } from "../regex/compile-pattern.js";
import type { Dialect } from "../regex/parse-pattern.js";
import type { Split } from "./split.js";
import { asInUnicode16 } from "../characters/unicode-17.js";

/** Handling of the text that a pattern matches (`SplitDelimiterBehavior` of Hugging Face's library). */
export type SplitBehavior = "isolated" | "removed" | "mergedWithPrevious" | "mergedWithNext" | "contiguous";

/**
 * A split by a regular expression, in the syntax of Oniguruma and Rust's `regex`, with their meaning of `\s`, `\d`,
 * `\w`, of flags such as `(?i:…)` and of possessive repetitions.
 *
 * @param options - `behavior`: handling of a match. `"isolated"`: a pre-token by itself; `"removed"`: dropped;
 *   `"mergedWithPrevious"`, `"mergedWithNext"`: joined to the text at its side; `"contiguous"`: neighbours that both
 *   match, or both do not, are one pre-token. Default: `"isolated"`. `invert`: swaps matched and unmatched text.
 *   Default: false. `dialect`: the regex library of the pattern. Default: `"oniguruma"`, that of `tokenizer.json`. `field`: the
 *   pattern's name in messages.
 *
 * Time is linear in the text for every pattern and every text.
 *
 * @throws {FormatError} If the pattern is not valid, or is too large.
 *
 * @example
 * ```ts
 * import { patternSplit } from "@qkv/tokenizer";
 *
 * patternSplit("\\s+", { behavior: "removed" }).spans("a  bc"); // => [0, 1, 3, 5]
 * ```
 */
export function patternSplit(
  pattern: string,
  options: { behavior?: SplitBehavior; invert?: boolean; dialect?: Dialect; field?: string } = {},
): Split {
  const check = checks("patternSplit");
  const {
    behavior = "isolated",
    invert = false,
    dialect = "oniguruma",
    field = "pattern",
  } = check.options(options, patternOptions);
  check.type({ [field]: pattern }, "string");
  check.oneOf({ behavior }, behaviors);
  check.type({ invert }, "boolean");
  check.oneOf({ dialect }, ["oniguruma", "rust"]);
  const { matches } = compilePattern(pattern, { field, dialect });
  const json = { type: "Split", pattern: { Regex: pattern }, behavior: behaviorName(behavior), invert };
  return {
    name: `pattern ${pattern}`,
    json,
    spans(text) {
      const found = matches(asInUnicode16(text));
      const spans = behavior === "isolated" ? found : withoutEmpty(found);
      return applyBehavior(spans, text.length, behavior, invert);
    },
  };
}

/** A split by a literal text. See {@link patternSplit}. */
export function textSplit(
  content: string,
  options: { behavior?: SplitBehavior; invert?: boolean } = {},
): Split {
  const check = checks("textSplit");
  const { behavior = "isolated", invert = false } = check.options(options, ["behavior", "invert"]);
  check.type({ content }, "string");
  check.oneOf({ behavior }, behaviors);
  check.type({ invert }, "boolean");
  const json = { type: "Split", pattern: { String: content }, behavior: behaviorName(behavior), invert };
  return {
    name: `text ${JSON.stringify(content)}`,
    json,
    spans(text) {
      const matches: number[] = [];
      for (
        let at = text.indexOf(content);
        content !== "" && at >= 0;
        at = text.indexOf(content, at + content.length)
      ) {
        matches.push(at, at + content.length);
      }
      return applyBehavior(matches, text.length, behavior, invert);
    },
  };
}

export const patternOptions = ["behavior", "invert", "dialect", "field"] as const;
export const behaviors: readonly SplitBehavior[] = [
  "isolated",
  "removed",
  "mergedWithPrevious",
  "mergedWithNext",
  "contiguous",
];

/** A behaviour as `tokenizer.json` writes it. */
export const behaviorName = (behavior: SplitBehavior): string =>
  behavior[0]!.toUpperCase() + behavior.slice(1);

function withoutEmpty(spans: readonly number[]): number[] {
  return spans.flatMap((start, i) => (i % 2 === 0 && start < spans[i + 1]! ? [start, spans[i + 1]!] : []));
}

/** Pre-tokens from matches: both are flat lists of starts and ends. */
export function applyBehavior(
  matches: readonly number[],
  length: number,
  behavior: SplitBehavior,
  invert: boolean,
): number[] {
  const parts: { start: number; end: number; match: boolean }[] = [];
  let at = 0;
  for (let i = 0; i < matches.length; i += 2) {
    if (at < matches[i]!) parts.push({ start: at, end: matches[i]!, match: invert });
    parts.push({ start: matches[i]!, end: matches[i + 1]!, match: !invert });
    at = matches[i + 1]!;
  }
  if (at < length) parts.push({ start: at, end: length, match: invert });

  const spans: number[] = [];
  let previousIsMatch = false;
  parts.forEach(({ start, end, match }, i) => {
    if (i > 0 && isJoined(behavior, match, previousIsMatch)) spans[spans.length - 1] = end;
    else if (start < end && !(match && behavior === "removed")) spans.push(start, end);
    previousIsMatch = match;
  });
  return spans;
}

/** True if a part is joined to the part before it. */
function isJoined(behavior: SplitBehavior, isMatch: boolean, previousIsMatch: boolean): boolean {
  switch (behavior) {
    case "contiguous":
      return isMatch === previousIsMatch;
    case "mergedWithPrevious":
      return isMatch && !previousIsMatch;
    case "mergedWithNext":
      return !isMatch && previousIsMatch;
    default:
      return false;
  }
}
