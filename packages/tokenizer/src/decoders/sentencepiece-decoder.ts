import { byteFallbackValue } from "../models/character-bpe.js";
import type { Decoder } from "./decoder.js";

export type SentencePieceDecoderOptions = {
  readonly unknownId: number | undefined;
  /** The text of an unknown token. */
  readonly unknownSurface: string;
  /** Drops the space at the start of a text. */
  readonly dropsSpace: boolean;
  /** Drops all spaces at the start of a text. */
  readonly dropsAllSpaces: boolean;
  /** Decodes byte tokens such as `<0x41>`. */
  readonly byteFallback: boolean;
};

/**
 * SentencePiece's decoding: `▁` becomes a space, except at the start of the text; byte tokens are decoded with
 * their neighbours as UTF-8.
 *
 * @see google/sentencepiece, `SentencePieceProcessor::Decode` in src/sentencepiece_processor.cc
 */
export function sentencePieceDecoder(options: SentencePieceDecoderOptions): Decoder {
  const { unknownId, unknownSurface, dropsSpace, dropsAllSpaces, byteFallback } = options;
  return {
    name: "SentencePiece",
    start(tokens) {
      const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
      let atStart = true;
      const tokenText = (id: number): string => {
        if (id === unknownId) {
          atStart = false;
          return unknownSurface;
        }
        let token = tokens.token(id);
        if (atStart && dropsSpace && token.startsWith("▁")) {
          token = token.slice(1);
          if (dropsAllSpaces) atStart = token === "";
          else atStart = false;
        } else if (token !== "") atStart = false;
        return token.replaceAll("▁", " ");
      };
      return {
        push(id) {
          const byte = byteFallback ? byteFallbackValue(tokens.token(id)) : undefined;
          if (byte === undefined) return utf8.decode() + tokenText(id);
          atStart = false;
          return utf8.decode(Uint8Array.of(byte), { stream: true });
        },
        end() {
          atStart = true;
          return utf8.decode();
        },
      };
    },
  };
}
