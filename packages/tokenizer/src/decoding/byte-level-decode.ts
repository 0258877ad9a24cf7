import { fromLetters } from "../models/byte-bpe.js";
import type { Decode } from "./decode.js";

/** Decodes byte-level vocabularies: the letters of tokens are bytes, and these, joined, are UTF-8. A token with another letter is text. */
export const byteLevelDecode: Decode = {
  name: "bytes",
  start(tokens) {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is text here, as any other character
    return {
      push(id) {
        const token = tokens.token(id);
        return utf8.decode(fromLetters(token) ?? new TextEncoder().encode(token), { stream: true });
      },
      end: () => utf8.decode(),
    };
  },
};
