import { FormatError } from "@qkv/core";
import { proveLinearTime } from "./linear-time.js";
import { isInsideSurrogatePair } from "../surrogate-pair.js";
import { compileProgram } from "./compile-program.js";
import { memoizedMatcher, tooLong } from "./memoized-matcher.js";
import { parsePattern, type Dialect } from "./parse-pattern.js";
import { toJavaScript } from "./to-javascript.js";

/** A compiled pattern. */
export type Pattern = {
  /** Returns starts and ends of all matches in a text, alternately. */
  matches(text: string): number[];
};

/**
 * Compiles a pattern to a matcher whose time is linear in the text, for every text.
 *
 * JavaScript's engine is fast, but backtracks. It is used only if {@link proveLinearTime} proves that a pattern backtracks
 * only within runs of certain characters, and only for texts in which these runs are short. Everything else is matched by
 * the memoized matcher, which visits each state at most once per position.
 *
 * @param from - `field` and `fn`: the pattern's field and the caller, for messages. `dialect`: its regex library.
 * @throws {FormatError} If the pattern is not valid, or is too large.
 */
export function compilePattern(
  pattern: string,
  { field, fn = "patternSplit", dialect = "oniguruma" }: { field: string; fn?: string; dialect?: Dialect },
): Pattern {
  const tree = parsePattern(pattern, field, dialect, fn);
  const proof = proveLinearTime(tree);
  const engine = proof && new RegExp(toJavaScript(tree), "gu");
  const longRun = proof?.sets.length ? longRunPattern(proof.sets) : undefined;
  const program = compileProgram(tree);
  const needsProgram = !engine || longRun !== undefined;
  if (needsProgram && !program) {
    throw new FormatError({
      fn,
      argument: field,
      received: pattern,
      expected: "a pattern with fewer parts that are optional or repeated",
      fix: "make the repeated parts begin with different characters; or split the text by a function: `defineSplit`.",
    });
  }
  let matcher: ReturnType<typeof memoizedMatcher> | undefined;
  return {
    matches(text) {
      const found = engine && !longRun?.test(text) ? engineMatches(engine, text) : undefined;
      if (found) return found;
      if (!program) throw tooLong(text);
      matcher ??= memoizedMatcher(program);
      return matcher(text).spans;
    },
  };
}

/** Runs of at least this length are matched by the memoized matcher. Unit: characters. */
const longRunLength = 200;

/** Matches a long run of characters that are all in one of the sets. */
function longRunPattern(sets: readonly string[]): RegExp {
  const anySet = sets.length === 1 ? sets[0]! : `(?=${sets.join("|")})[^]`;
  return new RegExp(`(?:${anySet}){${longRunLength}}`, "u");
}

/** All matches by JavaScript's engine; undefined if its stack overflows, as for words of millions of characters. */
function engineMatches(engine: RegExp, text: string): number[] | undefined {
  const spans: number[] = [];
  try {
    for (const { index, 0: match } of text.matchAll(engine)) {
      if (match === "" && isInsideSurrogatePair(text, index)) continue; // V8 also matches there
      spans.push(index, index + match.length);
    }
    return spans;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The text with `content` for each match. */
export function replaceMatches(pattern: Pattern, text: string, content: string): string {
  const spans = pattern.matches(text);
  let [replaced, at] = ["", 0];
  for (let i = 0; i < spans.length; i += 2) {
    replaced += text.slice(at, spans[i]) + content;
    at = spans[i + 1]!;
  }
  return replaced + text.slice(at);
}
