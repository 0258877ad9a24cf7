import { byteLetters } from "../byte-letters.js";
import { byCharacter, type Rewrite } from "./rewrite.js";

/** Writes a text in the letters that stand for its UTF-8 bytes: what a model over such letters reads. */
export const byteLettersRewrite: Rewrite = /* @__PURE__ */ byCharacter("byte letters", inLetters, {
  json: { type: "ByteLevel" },
});

const utf8 = /* @__PURE__ */ new TextEncoder();

function inLetters(character: string): string {
  return Array.from(utf8.encode(character), (byte) => byteLetters[byte]!).join("");
}
