import { expect, test } from "vitest";
import { referenceData } from "../../../../conformance/reference-data.mjs";
import { loadTokenizer } from "./load-tokenizer.js";
import { readSentencePieceModel } from "./sentencepiece-model.js";
import { sentencePieceTokenizer } from "./sentencepiece.js";

const source = referenceData.bytes("tokenizers/vocab/spm-unigram-1k-en/spm.model");
const pieces = readSentencePieceModel(source).pieces.filter(({ type }) => type === 1);
/** A vocabulary like Marian's: special tokens, the pieces in another order than in the model, and a piece of the target language only. */
const texts = ["</s>", "<unk>", ...pieces.map(({ text }) => text).reverse(), "▁où", ">>fra<<", "<pad>"];
const ids = Object.fromEntries(texts.map((text, id) => [text, id]));
const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const files = { "source.spm": source, "target.spm": source, "vocab.json": json(ids) };

test("a text is split into pieces of the source language, with the ids of vocab.json and `</s>` at the end", () => {
  const [marian, spm] = [loadTokenizer(files), sentencePieceTokenizer(source)];
  for (const text of ["Hello world", "  two  spaces ", "I saw a girl with a telescope.", ""]) {
    const expected = spm.encode(text).map((id) => ids[spm.token(id)!]!);
    expect(marian.encode(text)).toEqual([...expected, 0]);
    expect(marian.decode(marian.encode(text))).toBe(spm.decode(spm.encode(text)));
  }
  expect(marian.vocabSize).toBe(texts.length);
  expect([marian.bosId, marian.eosId]).toEqual([undefined, 0]);
});

test("a language code at the start is one token, and the text after it gets the dummy prefix", () => {
  const marian = loadTokenizer(files);
  expect(marian.encode(">>fra<< Hello world")).toEqual([ids[">>fra<<"], ...marian.encode("Hello world")]);
});

test("pieces of the target language are decoded, but never result from encoding", () => {
  const marian = loadTokenizer(files);
  expect(marian.decode([ids["▁où"]!])).toBe("où");
  expect(marian.encode("où")).not.toContain(ids["▁où"]);
});

test("a vocabulary with gaps, or without `</s>`, is refused", () => {
  for (const vocab of [
    { "<unk>": 0, "</s>": 2 },
    { "<unk>": 0, a: 1 },
  ])
    expect(() => loadTokenizer({ "source.spm": source, "vocab.json": json(vocab) })).toThrow(
      /vocab.json: vocab` is "2 tokens", expected an id from 0 on.*\nFix: give vocab.json as it came/,
    );
});
