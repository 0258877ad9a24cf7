import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../../../scripts/tier.mjs";
import { compileProgram } from "./compile-program.js";
import { memoizedMatcher } from "./memoized-matcher.js";
import { parsePattern } from "./parse-pattern.js";
import type { PatternNode } from "./pattern-node.js";
import { randomPattern, repeatedText } from "@qkv/test-support/random-pattern";
import { toJavaScript } from "./to-javascript.js";

const compileMatcher = (pattern: string) =>
  memoizedMatcher(compileProgram(parsePattern(pattern, "pattern", "oniguruma"))!);

/** All matches by JavaScript's engine, asked at each character: by itself, V8 also begins inside of one. */
function matchesAtCharacters(tree: PatternNode, text: string): number[] {
  const regex = new RegExp(toJavaScript(tree), "uy");
  const spans: number[] = [];
  for (let at = 0; at <= text.length;) {
    regex.lastIndex = at;
    const found = regex.exec(text);
    const end = at + (found?.[0].length ?? 0);
    if (found) spans.push(at, end);
    at = end > at ? end : at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
  }
  return spans;
}

test("property: matches equal those of JavaScript's engine", () => {
  fc.assert(
    fc.property(randomPattern, repeatedText(6), (tree, text) => {
      const program = compileProgram(tree);
      if (program === undefined) return;
      expect(memoizedMatcher(program)(text).spans).toEqual(matchesAtCharacters(tree, text));
    }),
    { numRuns: runs(5000) },
  );
});

test.each([
  ["(?:|a)*", "aab", [0, 2, 2, 2, 3, 3]],
  ["(?:a?){2,3}b", "aaaab", [1, 5]],
  ["(?>a*)b|a", "aaab", [0, 4]],
  ["(?>a*)a", "aaa", []],
  ["(?<=a.*)b", "bab", [2, 3]],
  ["(?<!a)😀", "a😀😀", [3, 5]],
  ["", "a😀", [0, 0, 1, 1, 3, 3]],
])("golden: %s in %s", (pattern, text, spans) => {
  expect(compileMatcher(pattern)(text).spans).toEqual(spans);
});

test.each([
  "a*a*b",
  "a*a*a*b",
  "(a+)+b",
  "(a|a)*b",
  "(.*a){9}$",
  "(?=a*a*b)a",
  "(?=(?:a(?=.*b))*c)a",
  "(?:(?:(?:a++)++)++a)++b",
  "(?>(?>a*)a?)*b",
  "(?<=b.*)a",
  "(?:a?){30}a{30}b",
  "(?:a{0,4}){0,4}b",
])("the number of steps is linear in the text: %s", (pattern) => {
  const match = compileMatcher(pattern);
  const steps = (length: number) => match("a".repeat(length)).steps;
  const [short, long] = [steps(1000), steps(4000)];
  expect(long / short).toBeLessThan(4.1);
});

test("results of earlier positions are freed, so that a long text needs little memory", () => {
  const match = compileMatcher("(?:a|b)+?c|(?s:.)");
  const { spans } = match("ab😀".repeat(200_000));
  expect(spans).toHaveLength(1_200_000);
});

test("a text whose results need more than 512 MiB is refused", () => {
  const match = compileMatcher(`(?:${"a?".repeat(300)})*b`);
  expect(() => match("a".repeat(1_000_000))).toThrow(
    /spans: `text` is "a text of 1000000 characters", expected a shorter text/,
  );
});
