import { unicodeToBytes } from "../models/byte-bpe.js";
import type { Decoder, TokenLookup } from "./decoder.js";

/** Decodes byte-level vocabularies: the concatenated bytes of byte-to-unicode tokens are UTF-8. */
export const byteLevelDecoder: Decoder = {
  name: "bytes",
  json: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
  start(tokens) {
    const utf8 = new TextDecoder("utf-8", { ignoreBOM: true }); // U+FEFF is text here, as any other character
    return { push: (id) => utf8.decode(tokenBytes(id, tokens), { stream: true }), end: () => utf8.decode() };
  },
  decodeAll(ids, tokens) {
    let [bytes, length] = [new Uint8Array(1024), 0];
    for (const id of ids) {
      const token = tokenBytes(id, tokens);
      if (length + token.length > bytes.length) {
        const grown = new Uint8Array(2 * (length + token.length));
        grown.set(bytes);
        bytes = grown;
      }
      for (let at = 0; at < token.length; at++) bytes[length++] = token[at]!;
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, length));
  },
};

/** The bytes of a token. A token with a character outside byte-to-unicode is ordinary text. */
function tokenBytes(id: number, tokens: TokenLookup): Uint8Array {
  const bytes = tokens.bytes(id);
  if (bytes) return bytes;
  const token = tokens.token(id);
  return unicodeToBytes(token) ?? new TextEncoder().encode(token);
}
