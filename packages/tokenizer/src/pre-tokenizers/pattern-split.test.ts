import { describe, expect, test } from "vitest";
import { cl100kSplit, o200kSplit, qwen2Split, splitFromPattern } from "./known-splits.js";
import { patternSplit, textSplit, type SplitBehavior } from "./pattern-split.js";
import { anyText, pieces } from "@qkv/test-support/split-property";
import fc from "fast-check";

const cut = (pattern: string, text: string, dialect: "oniguruma" | "rust" = "oniguruma") =>
  pieces(patternSplit(pattern, { dialect }), text);

// Each as Oniguruma 6.9 cuts it, by way of the native `tokenizers` 0.23.2.
test.each([
  ["\\s", "a\u0085b\uFEFFc", ["a", "\u0085", "b\uFEFFc"]],
  ["\\w+", "aé_\u200D ①Ⅷ٣ x\u0301", ["aé_", "\u200D ①", "Ⅷ٣", " ", "x\u0301"]],
  ["\\d+", "1²٣Ⅷ", ["1", "²", "٣", "Ⅷ"]],
  ["(?i:'s)", "a'ſ 'S 'K", ["a", "'ſ", " ", "'S", " 'K"]],
  ["(?i:k)", "k K \u212A", ["k", " ", "K", " ", "\u212A"]],
  ["^a", "a\na", ["a", "\n", "a"]],
  ["\\s+$", "a \nb  ", ["a", " ", "\nb", "  "]],
  ["\\h+", "abg \t", ["ab", "g \t"]],
  ["[[:punct:]]", "a+.$€_-", ["a", "+", ".", "$", "€", "_", "-"]],
  ["\\p{Alpha}+", "aⅧ\u0301b", ["aⅧ", "\u0301", "b"]],
  ["\\bfoo\\b", "foo éfoo foo_", ["foo", " éfoo foo_"]],
  ["[^\\S\\n]+", " \n a", [" ", "\n", " ", "a"]],
])("%s matches as in Oniguruma", (pattern, text, expected) => {
  expect(cut(pattern, text)).toEqual(expected);
});

test.each([
  ["a(?>b+)b|.", "abb", ["a", "b", "b"]],
  ["a++a|b", "aab", ["aa", "b"]],
  ["[\\]\\-^-]+", "a]-^b", ["a", "]-^", "b"]],
  ["[]a]+", "b]a", ["b", "]a"]],
  ["\\x41|\\u{1F600}|\\u0042", "AB😀c", ["A", "B", "😀", "c"]],
  ["(?i)a(?-i)b|c", "AbaBC", ["Ab", "aBC"]],
  ["(?<=a)b(?!c)", "abcab", ["abca", "b"]],
  ["\\p{Greek}|\\p{IsHan}|\\P{L}", "aω漢1", ["a", "ω", "漢", "1"]],
  ["a{2}|b{1,}|c{,2}d", "aaabbccd", ["aa", "a", "bb", "ccd"]],
  ["{", "a{b", ["a", "{", "b"]],
  [".", "a\n\r\u2028b", ["a", "\n", "\r", "\u2028", "b"]],
])("syntax: %s", (pattern, text, expected) => {
  expect(cut(pattern, text)).toEqual(expected);
});

test("the dialects differ in `{1,3}+` and in `^` and `$` at line breaks", () => {
  expect(cut("\\p{N}{1,3}+", "1234567", "rust")).toEqual(["123", "456", "7"]);
  expect(cut("\\s$", "a \nb ", "rust")).toEqual(["a \nb", " "]);
  expect(cut("^a", "a\na", "rust")).toEqual(["a", "\na"]);
});

test.each<[SplitBehavior, string[]]>([
  ["isolated", ["a", "-", "-", "b", "-"]],
  ["removed", ["a", "b"]],
  ["mergedWithPrevious", ["a-", "-", "b-"]],
  ["mergedWithNext", ["a", "-", "-b", "-"]],
  ["contiguous", ["a", "--", "b", "-"]],
])("behaviour %s", (behavior, expected) => {
  expect(pieces(patternSplit("-", { behavior }), "a--b-")).toEqual(expected);
  expect(pieces(textSplit("-", { behavior }), "a--b-")).toEqual(expected);
  expect(pieces(patternSplit("[^-]", { behavior, invert: true }), "a--b-")).toEqual(
    behavior === "isolated"
      ? ["a", "--", "b", "-"]
      : behavior === "removed"
        ? ["a", "b"]
        : behavior === "mergedWithPrevious"
          ? ["a--", "b-"]
          : behavior === "mergedWithNext"
            ? ["a", "--b", "-"]
            : expected,
  );
});

describe("refused, with the field named", () => {
  const field = "pre_tokenizer.pattern.Regex";
  test.each([
    ["(a{0,500}){500}", /with fewer parts that are optional or repeated/],
    [`${"(a|b)?".repeat(2000)}c`, /with fewer parts that are optional or repeated/],
    ["a".repeat(20_001), /at most 20000 characters/],
    [`a${"?*".repeat(20)}`, /at most 20 repetitions of each other/],
    ["(?<=a++)b", /no atomic group or possessive repetition in a lookbehind/],
    ["(?<=(?>a))b", /no atomic group or possessive repetition in a lookbehind/],
    [`${"[".repeat(9000)}a${"]".repeat(9000)}`, /at most 100 sets in each other/],
    ["(a", /a closing bracket at 2/],
    ["a)", /no closing bracket without an opening one at 1/],
    ["[a", /the end of a set at/],
    ["*a", /something to repeat at 0/],
    ["a{3,2}", /a range that goes up/],
    ["(a)\\1", /no \\1 at/],
    ["\\p{Nonsense}", /a property that Unicode has instead of "Nonsense"/],
    ["[a&&b]", /no set intersection/],
    ["(?x) a", /no flags but i, m, s and u/],
    ["(".repeat(200), /at most 100 groups/],
    ["\\", /a character after the backslash/],
  ])("%s", (pattern, message) => {
    expect(() => patternSplit(pattern, { field })).toThrow(message);
    expect(() => patternSplit(pattern, { field })).toThrow(
      expect.objectContaining({ name: "FormatError", argument: field }),
    );
  });

  test("patterns on which a backtracking engine takes exponential time are accepted, and are linear", () => {
    const exaone =
      "[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";
    expect(cut(exaone, "ab c  d")).toEqual(["ab c", " ", " d"]);
    expect(cut("(?:\\p{L}{1,3}-){1,3}", "ab-c-d")).toEqual(["ab-c-", "d"]);
    expect(cut("\\p{N}{1,3}(?:,\\p{N}{3})*", "1,234,56")).toEqual(["1,234", ",", "56"]);
    expect(cut("(?=(\\d{3})+(?!\\d))", "1234567")).toEqual(["1", "234", "567"]);
    expect(cut("((?=[\\p{L}])([^a-z]))+", "abCD")).toEqual(["ab", "CD"]);
    const long = "a".repeat(60_000);
    for (const pattern of [
      "(a+)+b",
      "(a|a)*b",
      "(a|aa)*b",
      "(\\w+\\s?)*$",
      "(x+x+)+y",
      "a*a*b",
      "a*a*a*b",
      ".*a.*a.*b",
      "(.*a){9}b",
      "(ab)*(ab)*(ab)*c",
      "(a|aa){30}b",
      "(a{1,3}){1,3}b",
      "(a?){30}a{30}b",
      `${"a?".repeat(30)}b`,
      "(?=a*a*b)a",
      "(?:(?:a++b?)++c?)++d",
    ])
      expect(cut(pattern, long).join(""), pattern).toBe(long);
    const alternatives = Array.from({ length: 200 }, (_, i) => `a*${String.fromCharCode(0x4e00 + i)}`);
    expect(cut(alternatives.join("|"), "a".repeat(2000))).toEqual(["a".repeat(2000)]);
  });
});

test("property: hand-written splits of known models equal the splits of their patterns", () => {
  const patterns = {
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
      cl100kSplit,
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
      qwen2Split,
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+":
      o200kSplit,
  };
  for (const [pattern, split] of Object.entries(patterns)) {
    expect(splitFromPattern(pattern)).toBe(split);
    const engine = patternSplit(pattern);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(engine.spans(text)).toEqual(split.spans(text));
      }),
    );
  }
});

test("characters of Unicode 17 are in no set, as in the reference libraries", () => {
  // A letter of CJK extension J and a mark: \\p{L} and \\p{M} where the engine knows them, unassigned in Unicode 16.
  const split = patternSplit(String.raw`[\p{L}\p{M}]+`, { dialect: "rust" });
  expect(pieces(split, "a\u{32EDD}b\u1ACFc")).toEqual(["a", "\u{32EDD}", "b", "\u1ACF", "c"]);
  expect(pieces(patternSplit(String.raw`\p{Ll}+`, { dialect: "rust" }), "a\u0295b")).toEqual(["a\u0295b"]);
});
