import fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzStrings } from "@qkv/test-support/fuzz-strings";
import { anyText } from "@qkv/test-support/split-property";
import { bertRewrites } from "./bert-rewrite.js";
import { byteLettersRewrite } from "./byte-letters-rewrite.js";
import { lowercase } from "./lowercase.js";
import { nmt } from "./nmt.js";
import { rewritePassage, wholePassage } from "./passage.js";
import { prepend } from "./prepend.js";
import { replacePattern, replaceText } from "./replace.js";
import { applyEdits, type Rewrite } from "./rewrite.js";
import { sentencePieceRewrite } from "./sentencepiece-rewrite.js";
import { stripAccents } from "./strip-accents.js";
import { stripEnds } from "./strip-ends.js";
import { nfc, nfd, nfkc, nfkd } from "./unicode-forms.js";

const sentencePiece = sentencePieceRewrite({
  map: undefined,
  symbols: ["ab"],
  spaceAsSuffix: false,
  dummyPrefix: true,
  removeExtraSpaces: true,
  escapeSpaces: true,
});
const rewrites: Rewrite[] = [
  nfc,
  nfd,
  nfkc,
  nfkd,
  lowercase,
  stripAccents,
  nmt,
  byteLettersRewrite,
  prepend("_"),
  stripEnds(),
  replaceText("a", "bc"),
  replacePattern("\\s+", " "),
  sentencePiece,
  ...bertRewrites(),
];

test.each(rewrites)(
  "property: $name: the fast way and the edits give one text, and origins lie in order",
  (rewrite) => {
    const check = (text: string) => {
      const fast = rewrite.apply(text, true);
      expect(applyEdits(text, rewrite.edits(text, true))).toBe(fast);
      const { text: traced, origins } = rewritePassage(wholePassage(text, true), rewrite);
      expect(traced).toBe(fast);
      expect(origins!.starts).toHaveLength(fast.length);
      for (let i = 0; i < fast.length; i++) {
        expect(origins!.starts[i]).toBeLessThanOrEqual(origins!.ends[i]!);
        if (i > 0) expect(origins!.starts[i]).toBeGreaterThanOrEqual(origins!.starts[i - 1]!);
      }
    };
    fc.assert(fc.property(anyText, check));
    for (const text of fuzzStrings(300, 5)) check(text);
  },
);

test.each<[Rewrite, string, string]>([
  [nfc, "e\u0301\u1100\u1161", "\u00E9\uAC00"],
  [nfkd, "\uFB01\u00B2", "fi2"],
  [nfc, "\u1AEB\u030E", "\u1AEB\u030E"], // a mark of Unicode 17, which the library's tables do not have
  [nfc, "\u1DF9\uA8F1", "\u1DF9\uA8F1"], // and one of Unicode 14
  [lowercase, "\u0391\u03A3 \u0130", "\u03B1\u03C3 i\u0307"],
  [stripAccents, "a\u0301\u0903", "a"],
  [nmt, "a\u0001\u200B\tb", "a  b"],
  [stripEnds({ left: false }), " a \u0085", " a"],
  [sentencePiece, "  a  ab b ", "▁a▁ab▁b"],
  [sentencePiece, "  ", ""],
])("golden: $0.name of %j", (rewrite, text, expected) => {
  expect(rewrite.apply(text, true)).toBe(expected);
});

test("golden: BERT's, all together", () => {
  const clean = (text: string, options = {}) =>
    bertRewrites(options).reduce((now, { apply }) => apply(now, true), text);
  expect(clean("H\u00E9llo\t\u6F22\u0000\uFFFD")).toBe("hello  \u6F22 ");
  expect(clean("H\u00E9llo", { lowercase: false })).toBe("H\u00E9llo");
});
