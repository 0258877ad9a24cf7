import { addedTokenFinder } from "../added-tokens.js";
import type { CharacterMap } from "./character-map.js";
import { defineRewrite, type Edit, type Rewrite } from "./rewrite.js";

export type SentencePieceRewriteOptions = {
  readonly map: CharacterMap | undefined;
  /** Texts that stay as they are. */
  readonly symbols: readonly string[];
  readonly spaceAsSuffix: boolean;
  readonly dummyPrefix: boolean;
  readonly removeExtraSpaces: boolean;
  readonly escapeSpaces: boolean;
};

/**
 * SentencePiece's normalization: at each place the longest sequence that the character map knows, else one character;
 * then spaces in a row become one, those at the ends go, one comes in front, and each is written `▁`; as far as the
 * model asks for it.
 *
 * @see google/sentencepiece, `Normalizer::Normalize` in src/normalizer.cc
 */
export function sentencePieceRewrite(options: SentencePieceRewriteOptions): Rewrite {
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

  return defineRewrite("SentencePiece", (text, first) => {
    const parts: [start: number, end: number, written: string][] = [];
    let afterSpace = removeExtraSpaces; // at the start, as after a space
    for (const [start, end, mapped] of chunks(text)) {
      const written = afterSpace && removeExtraSpaces ? mapped.replace(/^ +/, "") : mapped;
      if (written !== "") afterSpace = written.endsWith(" ");
      parts.push([start, end, written]);
    }
    for (let i = parts.length - 1; removeExtraSpaces && i >= 0; i--) {
      parts[i]![2] = parts[i]![2].replace(/ +$/, "");
      if (parts[i]![2] !== "") break;
    }
    const edits: Edit[] = [];
    let empty = true; // nothing written yet
    for (const [start, end, written] of parts) {
      if (empty && written !== "") {
        empty = false;
        if (first && dummyPrefix && !spaceAsSuffix) edits.push([start, start, space]);
      }
      const escaped = written.replaceAll(" ", space);
      if (escaped !== text.slice(start, end)) edits.push([start, end, escaped]);
    }
    if (!empty && spaceAsSuffix && dummyPrefix) edits.push([text.length, text.length, space]);
    return edits;
  });
}
