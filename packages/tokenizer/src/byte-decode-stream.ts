import { ArgumentError } from "@qkv/core";
import type { DecodeStream } from "./decoders/decoder.js";

/**
 * Decodes tokens whose concatenated bytes are UTF-8. A character may be split between tokens: its bytes are held back until
 * the last one arrives.
 *
 * @param pieces - The bytes of each token, by id.
 * @param bosId - The BOS token, which has no text; the space after it, which the encoder added, is dropped.
 */
export function byteDecodeStream(pieces: readonly Uint8Array[], bosId: number): DecodeStream {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is text here, as any other character
  let afterBos = false;
  return {
    push(id) {
      const piece = pieces[id];
      if (piece === undefined) {
        throw new ArgumentError({
          fn: "decode",
          argument: "id",
          received: id,
          expected: `a token id from 0 to ${pieces.length - 1}`,
          fix: "decode with the tokenizer whose vocabulary the ids come from.",
        });
      }
      const dropSpace = afterBos && piece[0] === space;
      afterBos = id === bosId;
      if (afterBos) return "";
      return utf8.decode(dropSpace ? piece.subarray(1) : piece, { stream: true });
    },
    end() {
      afterBos = false;
      return utf8.decode();
    },
  };
}

const space = 0x20;
