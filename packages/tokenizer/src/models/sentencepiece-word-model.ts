import { byteFallbackValue } from "./character-bpe.js";
import type { Model } from "./model.js";
import { Utf8Scratch } from "./utf8-scratch.js";

/**
 * SentencePiece's word model: text is split before each `▁`, and each word is a token or unknown. Adjacent unknown words
 * are one unknown.
 *
 * @param options - `words`: by id. `unknownId`: the token of all others. `byteFallback`: encodes them as the
 *   tokens of their bytes (`<0x41>`), if all exist.
 * @see google/sentencepiece, src/word_model.cc
 */
export function sentencePieceWordModel(options: {
  words: readonly string[];
  unknownId: number;
  byteFallback: boolean;
}): Model {
  const { words, unknownId, byteFallback } = options;
  const ids = new Map(words.map((word, id) => [word, id]));
  const byteIds = new Int32Array(256).fill(-1);
  words.forEach((word, id) => {
    const byte = byteFallback ? byteFallbackValue(word) : undefined;
    if (byte !== undefined) byteIds[byte] = id;
  });
  const utf8 = new Utf8Scratch();
  return {
    name: "SentencePiece words",
    vocabSize: words.length,
    append(text, start, end, out, widths) {
      let afterUnknown = false;
      for (let from = start; from < end;) {
        const next = text.indexOf("▁", from + 1);
        const to = next < 0 || next > end ? end : next;
        const id = ids.get(text.slice(from, to)) ?? unknownId;
        const length = utf8.write(text, from, to);
        from = to;
        const isByteFallback =
          id === unknownId && utf8.bytes.subarray(0, length).every((byte) => byteIds[byte]! >= 0);
        if (isByteFallback) {
          for (const byte of utf8.bytes.subarray(0, length)) {
            out.push(byteIds[byte]!);
            widths?.push(1);
          }
        } else if (id === unknownId && afterUnknown) {
          if (widths) widths[widths.length - 1]! += length;
        } else {
          out.push(id);
          widths?.push(length);
        }
        afterUnknown = id === unknownId && !isByteFallback;
      }
    },
    token: (id) => words[id],
    id: (word) => ids.get(word),
  };
}
