import { bytesToUnicode } from "../bytes-to-unicode.js";
import { characterNormalizer, type Normalizer } from "./normalizer.js";

/** Maps the UTF-8 bytes of a text to Unicode characters (`ByteLevel`), the input of byte-level vocabularies. */
export const byteLevelNormalizer: Normalizer = /* @__PURE__ */ characterNormalizer(
  "byte-to-unicode",
  toUnicode,
  {
    json: { type: "ByteLevel" },
  },
);

const utf8 = /* @__PURE__ */ new TextEncoder();

function toUnicode(character: string): string {
  return Array.from(utf8.encode(character), (byte) => bytesToUnicode[byte]!).join("");
}
