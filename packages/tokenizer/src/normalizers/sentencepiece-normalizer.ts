import { addedTokenFinder } from "../added-tokens.js";
import type { Charsmap } from "./charsmap.js";
import { defineNormalizer, type Normalizer } from "./normalizer.js";

export type SentencePieceNormalizerOptions = {
  readonly map: Charsmap | undefined;
  /** User-defined symbols, which are not normalized. */
  readonly symbols: readonly string[];
  readonly treatWhitespaceAsSuffix: boolean;
  readonly addDummyPrefix: boolean;
  /**
   * Adds the dummy prefix after each added token too, as implementations do that encode the texts between added tokens one by
   * one. Default: false.
   */
  readonly prefixesParts?: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
};

/** A normalizer with its SentencePiece options. */
export type SentencePieceNormalizer = Normalizer & { readonly sentencePiece: SentencePieceNormalizerOptions };

/**
 * SentencePiece's normalization: replaces the longest sequence in the charsmap at each position, else copies one
 * character; then, as the options say, collapses spaces in a row, strips those at the ends, prepends one, and writes
 * each as `▁`.
 *
 * @see google/sentencepiece, `Normalizer::Normalize` in src/normalizer.cc
 */
export function sentencePieceNormalizer(options: SentencePieceNormalizerOptions): SentencePieceNormalizer {
  const { map, symbols, treatWhitespaceAsSuffix, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } =
    options;
  const space = escapeWhitespaces ? "▁" : " ";
  const findSymbols = addedTokenFinder(symbols.map((content, id) => ({ id, content })));
  const encoder = new TextEncoder();

  /** The text in chunks, each with its normalized form. */
  function* chunks(text: string): Generator<[start: number, end: number, mapped: string]> {
    const found = findSymbols(text);
    let next = 0;
    const bytes = map ? encoder.encode(text) : undefined;
    for (let at = 0, byte = 0; at < text.length;) {
      while (next < found.length && found[next]!.start < at) next += 1;
      const symbol = found[next];
      if (symbol && symbol.start === at) {
        yield [at, symbol.end, text.slice(at, symbol.end)];
        byte += encoder.encode(text.slice(at, symbol.end)).length;
        at = symbol.end;
        continue;
      }
      const mapping = bytes && map!.find(bytes, byte, "longest");
      let end = at;
      let length = 0;
      do {
        const code = text.codePointAt(end)!;
        end += code > 0xffff ? 2 : 1;
        length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      } while (mapping && length < mapping.length);
      yield [at, end, mapping ? mapping.text : text.slice(at, end)];
      at = end;
      byte += length;
    }
  }

  const normalizer = defineNormalizer("SentencePiece", (text, first) => {
    const parts = Array.from(chunks(text));
    const edits: [start: number, end: number, written: string][] = [];
    let from = 0; // leading spaces are stripped first: a text of nothing else has no dummy prefix
    while (removeExtraWhitespaces && parts[from]?.[2] === " ") from += 1;
    if (from > 0) edits.push([0, parts[from - 1]![1], ""]);
    if (from === parts.length) return edits;
    if ((first || options.prefixesParts) && addDummyPrefix && !treatWhitespaceAsSuffix)
      edits.push([parts[from]![0], parts[from]![0], space]);
    let afterSpace = removeExtraWhitespaces; // at the start, as after a space
    for (const [start, end, mapped] of parts.slice(from)) {
      const written = afterSpace ? mapped.replace(/^ +/, "") : mapped;
      if (written !== "") afterSpace = removeExtraWhitespaces && written.endsWith(" ");
      edits.push([start, end, written.replaceAll(" ", space)]);
    }
    // Trailing spaces are stripped, and so is a `▁` that the text itself ends with.
    for (let i = edits.length - 1; removeExtraWhitespaces && i >= 0; i--) {
      const edit = edits[i]!;
      while (edit[2].endsWith(space)) edit[2] = edit[2].slice(0, -1);
      if (edit[2] !== "") break;
    }
    if (treatWhitespaceAsSuffix && addDummyPrefix) edits.push([text.length, text.length, space]);
    return edits.filter(([start, end, written]): boolean => written !== text.slice(start, end));
  });
  return { ...normalizer, sentencePiece: options };
}
