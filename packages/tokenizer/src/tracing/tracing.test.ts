import fc from "fast-check";
import { expect, test } from "vitest";
import { byteLevelBpe } from "../byte-level-bpe.js";
import { bytesToUnicode } from "../bytes-to-unicode.js";
import { trainBpe } from "../training/train-bpe.js";
import { bytesPerToken } from "./bytes-per-token.js";
import { sideBySide } from "./side-by-side.js";
import { traceMerges } from "./trace-merges.js";

const corpus = "the cat sat on the mat, then the rat sat there. The café was naïve. ".repeat(6);
const trained = await trainBpe([corpus], { vocabSize: 300 });
const tokenizer = byteLevelBpe(trained, { specialTokens: { "<|end|>": 300 } });
const text = fc
  .array(fc.constantFrom(..."the cat sat on café naïve <|end|>,   \n 🦊".split(/(?<= )/)), { maxLength: 8 })
  .map((parts) => parts.join(""));

test("property: each step is a learned merge, and the last step equals encode", () => {
  const learned = new Set(trained.merges.map((pair) => pair.join(" ")));
  fc.assert(
    fc.property(text, (text) => {
      const { start, steps } = traceMerges(tokenizer, text);
      const letters = (part: string) =>
        Array.from(new TextEncoder().encode(part), (byte) => bytesToUnicode[byte]!);
      expect(start).toEqual(text.split(/(<\|end\|>)/).flatMap((part, i) => (i % 2 ? [part] : letters(part))));
      let before = start;
      for (const { left, right, at, tokens } of steps) {
        expect(learned).toContain(`${left} ${right}`);
        expect(tokens).toEqual(before.toSpliced(at, 2, left + right));
        expect(before.slice(at, at + 2)).toEqual([left, right]);
        before = tokens;
      }
      expect(before).toEqual(tokenizer.encode(text).map((id) => tokenizer.token(id)));
    }),
  );
});

test("golden: the merges of the example of minbpe", async () => {
  const small = byteLevelBpe(await trainBpe(["aaabdaaabac"], { vocabSize: 259 }));
  const { steps } = traceMerges(small, "aaabdaaabac");
  expect(steps.map(({ tokens }) => tokens.join(" "))).toEqual([
    "aa a b d a a a b a c",
    "aa a b d aa a b a c",
    "aaa b d aa a b a c",
    "aaa b d aaa b a c",
    "aaab d aaa b a c",
    "aaab d aaab a c",
  ]);
});

test("a tokenizer that does not merge is refused", () => {
  const whole = {
    trace: (text: string) => ({
      text,
      ids: [0],
      parts: [{ normalized: text, preTokens: [{ preToken: text, ids: [0], tokens: [text] }] }],
    }),
  };
  expect(() => traceMerges(whole, "a")).toThrow(
    /traceMerges: `tokenizer` is "a tokenizer whose model does not merge".*\nFix: look at `tokenizer\.trace/s,
  );
});

test("property: the tokens of each segmentation concatenate to the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const [words, characters, bytes, tokens] = sideBySide(text, tokenizer);
      expect(words!.pieces.join("")).toBe(text);
      expect(characters!.pieces.join("")).toBe(text);
      const numbers = bytes!.pieces.map((hex) => Number.parseInt(hex, 16));
      expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(numbers))).toBe(text);
      expect(tokens!.notes).toEqual(tokenizer.encode(text).map((id) => `id ${id}`));
      for (const { pieces, notes } of [words, characters, bytes, tokens].map((cut) => cut!)) {
        expect(notes.length).toBe(pieces.length);
      }
    }),
  );
});

test("golden: four segmentations, by hand; a token of part of a character is shown byte-to-unicode", () => {
  const segmentations = sideBySide(
    "the é",
    byteLevelBpe({ vocab: ["t", "h", "e", "Ġ", "Ã", "©", "th"], merges: ["t h"] }),
  );
  expect(segmentations.map(({ pieces }) => pieces)).toEqual([
    ["the", " é"],
    ["t", "h", "e", " ", "é"],
    ["74", "68", "65", "20", "C3", "A9"],
    ["th", "e", " ", "Ã", "©"],
  ]);
  expect(segmentations[1]!.notes.at(-1)).toBe("U+00E9");
});

test("bytes per token are higher for the training text than for another text, and 0 for an empty text", () => {
  const costs = bytesPerToken(tokenizer, { English: "the cat sat", Greek: "η γάτα", nothing: "" });
  expect(costs.map(({ name, bytes }) => [name, bytes])).toEqual([
    ["English", 11],
    ["Greek", 11],
    ["nothing", 0],
  ]);
  const [english, greek, nothing] = costs.map(({ bytesPerToken }) => bytesPerToken);
  expect(english).toBeGreaterThan(2);
  // The space is the only byte of Greek that has a partner among what was learned.
  expect(greek).toBeLessThan(1.2);
  expect(nothing).toBe(0);
});
