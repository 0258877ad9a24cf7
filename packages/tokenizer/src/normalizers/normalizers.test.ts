import fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzStrings } from "@qkv/test-support/fuzz-strings";
import { anyText } from "@qkv/test-support/split-property";
import { bertNormalizers } from "./bert-normalizer.js";
import { byteLevelNormalizer } from "./byte-level-normalizer.js";
import { lowercase } from "./lowercase.js";
import { nmt } from "./nmt.js";
import { normalizeAligned, alignedText } from "./aligned-text.js";
import { prepend } from "./prepend.js";
import { replacePattern, replaceText } from "./replace.js";
import { applyEdits, type Normalizer } from "./normalizer.js";
import { sentencePieceNormalizer } from "./sentencepiece-normalizer.js";
import { stripAccents } from "./strip-accents.js";
import { stripEnds } from "./strip-ends.js";
import { nfc, nfd, nfkc, nfkd } from "./unicode-forms.js";

const sentencePiece = sentencePieceNormalizer({
  map: undefined,
  symbols: ["ab"],
  treatWhitespaceAsSuffix: false,
  addDummyPrefix: true,
  removeExtraWhitespaces: true,
  escapeWhitespaces: true,
});
const normalizers: Normalizer[] = [
  nfc,
  nfd,
  nfkc,
  nfkd,
  lowercase,
  stripAccents,
  nmt,
  byteLevelNormalizer,
  prepend("_"),
  stripEnds(),
  replaceText("a", "bc"),
  replacePattern("\\s+", " "),
  sentencePiece,
  ...bertNormalizers(),
];

test.each(normalizers)(
  "property: $name: `apply` and `edits` give the same text, and alignments are in order",
  (normalizer) => {
    const check = (text: string) => {
      const fast = normalizer.apply(text, true);
      expect(applyEdits(text, normalizer.edits(text, true))).toBe(fast);
      const { text: traced, alignments } = normalizeAligned(alignedText(text, true), normalizer);
      expect(traced).toBe(fast);
      expect(alignments!.starts).toHaveLength(fast.length);
      for (let i = 0; i < fast.length; i++) {
        expect(alignments!.starts[i]).toBeLessThanOrEqual(alignments!.ends[i]!);
        if (i > 0) expect(alignments!.starts[i]).toBeGreaterThanOrEqual(alignments!.starts[i - 1]!);
      }
    };
    fc.assert(fc.property(anyText, check));
    for (const text of fuzzStrings(300, 5)) check(text);
  },
);

test.each<[Normalizer, string, string]>([
  [nfc, "e\u0301\u1100\u1161", "\u00E9\uAC00"],
  [nfkd, "\uFB01\u00B2", "fi2"],
  [nfc, "\u1AEB\u030E", "\u1AEB\u030E"], // a mark of Unicode 17, which the tables of Hugging Face's library do not have
  [nfc, "\u1DF9\uA8F1", "\u1DF9\uA8F1"], // and one of Unicode 14
  [lowercase, "\u0391\u03A3 \u0130", "\u03B1\u03C3 i\u0307"],
  [stripAccents, "a\u0301\u0903", "a"],
  [nmt, "a\u0001\u200B\tb", "a  b"],
  [stripEnds({ left: false }), " a \u0085", " a"],
  [sentencePiece, "  a  ab b ", "▁a▁ab▁b"],
  [sentencePiece, "  ", ""],
])("golden: $0.name of %j", (normalizer, text, expected) => {
  expect(normalizer.apply(text, true)).toBe(expected);
});

test("golden: BERT's normalizer applies all its steps", () => {
  const clean = (text: string, options = {}) =>
    bertNormalizers(options).reduce((now, { apply }) => apply(now, true), text);
  expect(clean("H\u00E9llo\t\u6F22\u0000\uFFFD")).toBe("hello  \u6F22 ");
  expect(clean("H\u00E9llo", { lowercase: false })).toBe("H\u00E9llo");
});
