import { addedTokenFinder } from "../added-tokens.js";
import type { CharacterMap } from "./character-map.js";
import { defineRewrite, type Rewrite } from "./rewrite.js";

export type SentencePieceRewriteOptions = {
  readonly map: CharacterMap | undefined;
  /** Texts that stay as they are. */
  readonly symbols: readonly string[];
  readonly spaceAsSuffix: boolean;
  readonly dummyPrefix: boolean;
  readonly removeExtraSpaces: boolean;
  readonly escapeSpaces: boolean;
};

/** A rewrite that tells what it was made of. */
export type SentencePieceRewrite = Rewrite & { readonly sentencePiece: SentencePieceRewriteOptions };

/**
 * SentencePiece's normalization: at each place the longest sequence that the character map knows, else one character;
 * then spaces in a row become one, those at the ends go, one comes in front, and each is written `▁`; as far as the
 * model asks for it.
 *
 * @see google/sentencepiece, `Normalizer::Normalize` in src/normalizer.cc
 */
export function sentencePieceRewrite(options: SentencePieceRewriteOptions): SentencePieceRewrite {
  const { map, symbols, spaceAsSuffix, dummyPrefix, removeExtraSpaces, escapeSpaces } = options;
  const space = escapeSpaces ? "▁" : " ";
  const findSymbols = addedTokenFinder(symbols.map((content, id) => ({ id, content })));
  const encoder = new TextEncoder();

  /** The text in chunks, each with what the map makes of it. */
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

  const rewrite = defineRewrite("SentencePiece", (text, first) => {
    const parts = Array.from(chunks(text));
    const edits: [start: number, end: number, written: string][] = [];
    let from = 0; // spaces in front go first: what is left decides whether there is a text at all
    while (removeExtraSpaces && parts[from]?.[2] === " ") from += 1;
    if (from > 0) edits.push([0, parts[from - 1]![1], ""]);
    if (from === parts.length) return edits;
    if (first && dummyPrefix && !spaceAsSuffix) edits.push([parts[from]![0], parts[from]![0], space]);
    let afterSpace = removeExtraSpaces; // at the start, as after a space
    for (const [start, end, mapped] of parts.slice(from)) {
      const written = afterSpace ? mapped.replace(/^ +/, "") : mapped;
      if (written !== "") afterSpace = removeExtraSpaces && written.endsWith(" ");
      edits.push([start, end, written.replaceAll(" ", space)]);
    }
    // Marks that stood in the text itself go from the end too.
    for (let i = edits.length - 1; removeExtraSpaces && i >= 0; i--) {
      const edit = edits[i]!;
      while (edit[2].endsWith(space)) edit[2] = edit[2].slice(0, -1);
      if (edit[2] !== "") break;
    }
    if (spaceAsSuffix && dummyPrefix) edits.push([text.length, text.length, space]);
    return edits.filter(([start, end, written]): boolean => written !== text.slice(start, end));
  });
  return { ...rewrite, sentencePiece: options };
}
