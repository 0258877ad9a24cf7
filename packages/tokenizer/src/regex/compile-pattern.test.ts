import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { casesByTier } from "../../../../scripts/tier.mjs";
import { compilePattern, replaceMatches } from "./compile-pattern.js";
import { compileProgram } from "./compile-program.js";
import { memoizedMatcher } from "./memoized-matcher.js";
import { parsePattern } from "./parse-pattern.js";

afterEach(() => void vi.restoreAllMocks());

const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

test("property: texts with long runs are matched by the memoized matcher, with the same matches as JavaScript's engine", () => {
  const pattern = compilePattern(gpt2, { field: "pattern" });
  const memoized = memoizedMatcher(compileProgram(parsePattern(gpt2, "pattern", "oniguruma"))!);
  const part = fc.constantFrom("a", "'s", "1", "?", "😀", " ", "\n", " ".repeat(150));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      const text = parts.join("");
      expect(pattern.matches(text)).toEqual(memoized(text).spans);
    }),
  );
});

const linear = [
  ["white space of a million characters without its end", gpt2, `${" ".repeat(1_000_000)}x`],
  ["a*b", "a*b", "a".repeat(1_000_000)],
  ["(a+)+b", "(a+)+b", "a".repeat(1_000_000)],
  ["a word beyond the stack of the engine", "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+", "a".repeat(5_000_000)],
] as const;

test.each(casesByTier(linear, ([name]) => name !== "a word beyond the stack of the engine"))(
  "linear time: %s",
  (_, pattern, text) => {
    const spans = compilePattern(pattern, { field: "pattern" }).matches(text);
    expect(spans.at(-1) ?? text.length).toBe(text.length);
  },
);

test("a text on which the stack of the engine overflows has the same matches", () => {
  const pattern = compilePattern(gpt2, { field: "pattern" });
  const expected = pattern.matches("it's a  word");
  const overflow = vi.fn(() => {
    throw new RangeError("Maximum call stack size exceeded");
  });
  vi.spyOn(String.prototype, "matchAll").mockImplementationOnce(overflow);
  expect(pattern.matches("it's a  word")).toEqual(expected);
  expect(overflow).toHaveBeenCalledOnce();
});

test("an empty match is never inside a surrogate pair", () => {
  expect(compilePattern("(?!😀)", { field: "pattern" }).matches("😀")).toEqual([2, 2]);
});

test("replaceMatches replaces each match", () => {
  expect(replaceMatches(compilePattern("a+", { field: "pattern" }), "baabc", "$&")).toBe("b$&bc");
  expect(replaceMatches(compilePattern("", { field: "pattern" }), "a😀", "-")).toBe("-a-😀-");
});
