import { newerCharacters } from "../characters/newer-characters.js";
import { byCharacter, type Rewrite } from "./rewrite.js";

/** Drops marks, as accents are after {@link nfd}. */
export const stripAccents: Rewrite = /* @__PURE__ */ byCharacter("strip accents", stripped, {
  apply: (text) => (anyMark.test(text) ? Array.from(text, stripped).join("") : text),
  json: { type: "StripAccents" },
});

const anyMark = /\p{M}/u;

function stripped(character: string): string {
  return anyMark.test(character) && !newerCharacters.marks.test(character) ? "" : character;
}
