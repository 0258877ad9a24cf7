import { spelledByte } from "../models/character-bpe.js";
import type { Decode } from "./decode.js";

export type SentencePieceDecodeOptions = {
  readonly unknownId: number | undefined;
  /** What an unknown token is decoded to. */
  readonly unknownText: string;
  /** Whether the space in front of a text is dropped. */
  readonly dropsSpace: boolean;
  /** Whether all of them are. */
  readonly dropsAllSpaces: boolean;
  /** Whether tokens such as `<0x41>` are bytes. */
  readonly spellsBytes: boolean;
};

/**
 * SentencePiece's decoding: `▁` is a space, but not the one in front of the text; tokens that spell bytes are UTF-8
 * with their neighbours.
 *
 * @see google/sentencepiece, `SentencePieceProcessor::Decode` in src/sentencepiece_processor.cc
 */
export function sentencePieceDecode(options: SentencePieceDecodeOptions): Decode {
  const { unknownId, unknownText, dropsSpace, dropsAllSpaces, spellsBytes } = options;
  return {
    name: "SentencePiece",
    start(tokens) {
      const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
      let atStart = true;
      const textOf = (id: number): string => {
        if (id === unknownId) {
          atStart = false;
          return unknownText;
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
          const byte = spellsBytes ? spelledByte(tokens.token(id)) : undefined;
          if (byte === undefined) return utf8.decode() + textOf(id);
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
