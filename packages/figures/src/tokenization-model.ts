import { checks } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import { bytesPerToken, traceMerges } from "@qkv/tokenizer/tracing";
import {
  tokenization,
  type AppliedMerge,
  type TokenizationChoices,
  type TokenizationModel,
} from "@qkv/viz/figures/tokenization";
import { bytePieces, hex, visibleText, type BytePieces } from "./tokenization/byte-pieces.js";
import { byteModels, textPatches } from "./tokenization/text-patches.js";
import { vocabularies, type Vocabulary } from "./tokenization/vocabularies.js";

/** One sentence in four languages. */
const sentences = {
  English: "The cat sat on the mat in the café.",
  German: "Die Katze saß auf der Matte im Café.",
  Greek: "Η γάτα κάθισε στο χαλάκι του καφέ.",
  Chinese: "猫坐在咖啡馆的垫子上。",
} as const;

/**
 * Computes the numbers of *From text to tokens*: the merges that a vocabulary applies to a text, in the order in which they
 * were learned, and the tokens of `encode`; with `view: "patches"` also the entropy of each byte and the patches that it
 * cuts. A vocabulary is trained here by `trainBpe`, or is that of `@qkv/model-tiny`, which is then loaded.
 *
 * @param choices - `text`, at most 400 characters. `vocabulary`: "english", "both" (English and German), "text" (trained
 *   on the text itself), "stories" (that of `@qkv/model-tiny`). Others as the figure has them.
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name.
 *
 * @example
 * ```ts
 * import { tokenizationModel } from "@qkv/figures/tokenization";
 *
 * const { merges, tokens } = await tokenizationModel({ text: "aaabdaaabac", vocabulary: "text" });
 * merges.map(({ text }) => text); // => ["aa", "aaa", "aaab"]
 * tokens.map(({ id }) => id); // => [258, 67, 258, 64, 66]
 * ```
 */
export async function tokenizationModel(
  choices: Partial<TokenizationChoices> = {},
): Promise<TokenizationModel> {
  const check = checks("tokenizationModel");
  const names = Object.keys(tokenization.initial) as (keyof TokenizationChoices)[];
  const given = { ...tokenization.initial, ...check.options(choices, names) };
  check.oneOf({ view: given.view }, ["merges", "patches"]);
  check.type({ text: given.text }, "string");
  check.each({ text: given.text }, () => given.text.length <= 400, "a text of at most 400 characters");
  check.oneOf({ vocabulary: given.vocabulary }, Object.keys(vocabularies));
  check.oneOf({ byteModel: given.byteModel }, Object.keys(byteModels));
  check.oneOf({ rule: given.rule }, ["threshold", "rise"]);
  check.finite({ threshold: given.threshold }, { min: 0 });
  check.finite({ rise: given.rise }, { min: 0 });

  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(given.text));
  const offer = vocabularies[given.vocabulary]!;
  const vocabulary = await offer.load(text);
  const { tokenizer } = vocabulary;
  const pieces = bytePieces(text);
  const isTrainedOn = (name: string, sentence: string) =>
    given.vocabulary === "text" ? sentence === text : offer.languages.includes(name);
  return {
    text,
    characters: Array.from(text, (character) => ({
      text: visibleText(character),
      codePoint: `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`,
      bytes: new TextEncoder().encode(character).length,
    })),
    bytes: byteTokens(tokenizer, text, pieces),
    words: wordStarts(tokenizer, text),
    merges: appliedMerges(vocabulary, text, pieces),
    tokens: tokenSpans(tokenizer, text, pieces),
    vocabulary: {
      name: given.vocabulary,
      size: tokenizer.vocabSize,
      merges: vocabulary.merges.length,
      trainedOn: offer.trainedOn,
    },
    languages: bytesPerToken(tokenizer, sentences).map(({ name, bytes, tokens }) => {
      const sentence = sentences[name as keyof typeof sentences];
      return { name, text: sentence, bytes, tokens, trained: isTrainedOn(name, sentence) };
    }),
    ...(given.view === "patches" && { patches: await textPatches(text, given) }),
    offers,
  };
}

/** Initial symbols of the merges: one for each byte. */
const startSymbols = (tokenizer: Tokenizer, text: string) => traceMerges(tokenizer, text).start;

const byteTokens = (tokenizer: Tokenizer, text: string, { bytes }: BytePieces) =>
  startSymbols(tokenizer, text).map((symbol, i) => ({ hex: hex(bytes[i]!), id: tokenizer.id(symbol)! }));

/** The first byte of each pre-token. A symbol of byte-level BPE is one letter for each of its bytes. */
function wordStarts(tokenizer: Tokenizer, text: string): number[] {
  let at = 0;
  return tokenizer
    .trace(text, { addSpecialTokens: false })
    .parts.flatMap((part) => ("added" in part ? [part.added.length] : part.preTokens.map(textLength)))
    .map((length) => (at += length) - length);
}

const textLength = ({ tokens }: { tokens: readonly string[] }) =>
  tokens.reduce((sum, token) => sum + token.length, 0);

/**
 * The merges of a text by rank. The tokenizer merges word by word, but a merge depends only on merges of lower rank, so all
 * merges of one rank can be applied together.
 */
function appliedMerges({ tokenizer, merges }: Vocabulary, text: string, pieces: BytePieces): AppliedMerge[] {
  const ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  const places = new Map<number, { start: number; middle: number; end: number }[]>();
  for (const { left, right, at, tokens } of traceMerges(tokenizer, text).steps) {
    const rank = ranks.get(`${left} ${right}`)!;
    const start = tokens.slice(0, at).reduce((sum, token) => sum + token.length, 0);
    const middle = start + left.length;
    const earlierPlaces = places.get(rank) ?? [];
    places.set(rank, [...earlierPlaces, { start, middle, end: middle + right.length }]);
  }
  let left = pieces.bytes.length;
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([rank, found]) => {
      const [{ start, middle, end }] = found as [(typeof found)[0]];
      left -= found.length;
      return {
        left: pieces.text(start, middle),
        right: pieces.text(middle, end),
        text: pieces.text(start, end),
        id: tokenizer.id(merges[rank]!.join(""))!,
        rank: rank + 1,
        places: found,
        tokens: left,
      };
    });
}

function tokenSpans(tokenizer: Tokenizer, text: string, pieces: BytePieces): TokenizationModel["tokens"] {
  let start = 0;
  return tokenizer.encode(text, { addSpecialTokens: false }).map((id) => {
    const end = start + tokenizer.token(id)!.length;
    const span = {
      start,
      end,
      text: pieces.text(start, end),
      id,
      part: pieces.isPartialCharacter(start, end),
    };
    start = end;
    return span;
  });
}

const offers: TokenizationModel["offers"] = /* @__PURE__ */ (() => ({
  vocabulary: Object.entries(vocabularies).map(([value, { label, trainedOn }]) => ({
    value,
    label,
    title: `trained on ${trainedOn}`,
  })),
  byteModel: Object.entries(byteModels).map(([value, { label, title }]) => ({ value, label, title })),
  texts: [
    ...Object.entries(sentences).map(([label, text]) => ({ label, title: text, choices: { text } })),
    {
      label: "aaabdaaabac",
      title: "the example of minbpe, with a vocabulary trained on itself",
      choices: { text: "aaabdaaabac", vocabulary: "text" },
    },
  ],
}))();
