import { modelTiny } from "@qkv/model-tiny";
import { byteLevelBpe, tokenizerFromJson } from "@qkv/tokenizer";
import { englishBytes } from "@qkv/tokenizer/english-bytes";
import { byteEntropies, globalThreshold, monotonicConstraint, patchStarts } from "@qkv/tokenizer/patching";
import { trainBpe } from "@qkv/tokenizer/training";
import { tokenization } from "@qkv/viz/figures/tokenization";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tokenizationModel } from "./tokenization-model.js";
import { vocabularies } from "./tokenization/vocabularies.js";

const names = Object.keys(vocabularies);

/** The tokens of a text after its merges, as spans of bytes. */
function replay({ bytes, merges }: Awaited<ReturnType<typeof tokenizationModel>>): [number, number][] {
  const spans = bytes.map((_, start): [number, number] => [start, start + 1]);
  for (const { places, tokens } of merges) {
    for (const { start, middle, end } of places) {
      const at = spans.findIndex((span) => span[0] === start);
      expect(spans.slice(at, at + 2)).toEqual([
        [start, middle],
        [middle, end],
      ]);
      spans.splice(at, 2, [start, end]);
    }
    expect(spans).toHaveLength(tokens);
  }
  return spans;
}

test.each(names)("property: merges by rank lead to the tokens that encode gives: %s", async (vocabulary) => {
  const pieces = fc.constantFrom(
    ..."The cat sat on the mat, naïve café müde Η γάτα 猫 🐈 aab  1".split(/(?<= )/),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 8 }), async (parts) => {
      const text = parts.join("");
      const model = await tokenizationModel({ text, vocabulary });
      const { tokenizer } = await vocabularies[vocabulary]!.load(text);
      const ids = tokenizer.encode(text);
      expect(model.tokens.map(({ id }) => id)).toEqual(ids);
      expect(replay(model)).toEqual(model.tokens.map(({ start, end }) => [start, end]));
      const ranks = model.merges.map(({ rank }) => rank);
      expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      expect(model.bytes.map(({ id }) => tokenizer.decode([id])).length).toBe(
        new TextEncoder().encode(text).length,
      );
    }),
    { numRuns: 40 },
  );
});

test("the example of minbpe: three merges, five tokens", async () => {
  const { merges, tokens, vocabulary } = await tokenizationModel({ text: "aaabdaaabac", vocabulary: "text" });
  expect(merges.map(({ left, right, places }) => [left, right, places.length])).toEqual([
    ["a", "a", 2],
    ["aa", "a", 2],
    ["aaa", "b", 2],
  ]);
  expect(tokens.map(({ text }) => text)).toEqual(["aaab", "d", "aaab", "a", "c"]);
  expect(vocabulary.merges).toBe(3);
  const trained = byteLevelBpe(await trainBpe(["aaabdaaabac"], { vocabSize: 259 }));
  expect(tokens.map(({ id }) => id)).toEqual(trained.encode("aaabdaaabac"));
});

test("a tokenizer is efficient in the language it was trained on", async () => {
  const tokensIn = async (vocabulary: string) => {
    const { languages, vocabulary: used } = await tokenizationModel({ vocabulary });
    expect(used.merges).toBe(150);
    return Object.fromEntries(languages.map(({ name, tokens }) => [name, tokens]));
  };
  expect(await tokensIn("english")).toEqual({ English: 14, German: 33, Greek: 61, Chinese: 33 });
  expect(await tokensIn("both")).toEqual({ English: 15, German: 16, Greek: 61, Chinese: 33 });
});

test(`the vocabulary "stories" is that of @qkv/model-tiny`, async () => {
  const file = (await modelTiny()).find(({ name }) => name === "tokenizer.json")!;
  const tokenizer = tokenizerFromJson(await file.text());
  const text = "Once upon a time";
  const { tokens, vocabulary } = await tokenizationModel({ text, vocabulary: "stories" });
  expect(tokens.map(({ id }) => id)).toEqual(tokenizer.encode(text));
  expect(vocabulary).toMatchObject({ size: 2048, merges: 1792 });
});

test("a character outside of the vocabulary is encoded as its bytes", async () => {
  const { characters, bytes, tokens } = await tokenizationModel({ text: "café" });
  expect(characters.at(-1)).toEqual({ text: "é", codePoint: "U+00E9", bytes: 2 });
  expect(bytes.map(({ hex }) => hex).join(" ")).toBe("63 61 66 C3 A9");
  expect(tokens.filter(({ part }) => part).map(({ text }) => text)).toEqual(["C3", "A9"]);
});

test("patches are those of patchStarts, with either rule", async () => {
  const { text } = tokenization.initial;
  const entropies = byteEntropies(text, englishBytes());
  for (const threshold of [0, 1.5, 2.1, 5]) {
    const { patches } = await tokenizationModel({ view: "patches", threshold });
    expect(patches!.entropies).toEqual(Array.from(entropies));
    expect(patches!.starts).toEqual(patchStarts(text, globalThreshold(threshold), entropies));
  }
  const { patches } = await tokenizationModel({ view: "patches", rule: "rise", rise: 0.8 });
  expect(patches!.starts).toEqual(patchStarts(text, monotonicConstraint(0.8), entropies));
  expect(patches!.texts.slice(-2)).toEqual(["caf C3", "A9 ."]);
  expect((await tokenizationModel()).patches).toBeUndefined();
});

test("the entropies of different byte-level models differ", async () => {
  const { patches } = await tokenizationModel({ view: "patches", byteModel: "transformer", text: "The cat" });
  expect(patches!.entropies).toHaveLength(7);
  expect(patches!.madeBy).toContain("320,160 parameters");
});

test("every offer of a control is one that the model takes; others are refused", async () => {
  const choices = { ...tokenization.initial, view: "patches", text: "The cat" } as const;
  const model = await tokenizationModel(choices);
  for (const control of tokenization.controls(model, choices)) {
    if (control.kind === "text")
      for (const example of control.examples!) await tokenizationModel(example.choices);
    if (!("options" in control)) continue;
    for (const { value } of control.options)
      expect(await tokenizationModel({ ...choices, [control.key]: value })).toHaveProperty("tokens");
  }
  await expect(tokenizationModel({ vocabulary: "latin" })).rejects.toThrow(
    /tokenizationModel: `vocabulary` is "latin"/,
  );
  await expect(tokenizationModel({ text: "a".repeat(401) })).rejects.toThrow("at most 400 characters");
});

test("a lone surrogate is encoded as U+FFFD, and an empty text has no tokens", async () => {
  const { text, tokens } = await tokenizationModel({ text: "a\ud800" });
  expect(text).toBe("a\ufffd");
  expect(tokens.at(-1)!.end).toBe(4);
  expect(await tokenizationModel({ text: "", view: "patches" })).toMatchObject({
    tokens: [],
    merges: [],
    words: [],
  });
});
