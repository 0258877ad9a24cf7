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
      const more = tokenBytes(id, tokens);
      if (length + more.length > bytes.length) {
        const grown = new Uint8Array(2 * (length + more.length));
        grown.set(bytes);
        bytes = grown;
      }
      for (let at = 0; at < more.length; at++) bytes[length++] = more[at]!;
    }
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, length));
  },
};

/** The bytes of a token. A token with a character outside byte-to-unicode is ordinary text. */
function tokenBytes(id: number, tokens: TokenLookup): Uint8Array {
  const known = tokens.bytes(id);
  if (known) return known;
  const token = tokens.token(id);
  return unicodeToBytes(token) ?? new TextEncoder().encode(token);
}
