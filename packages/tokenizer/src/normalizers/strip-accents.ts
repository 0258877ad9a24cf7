import { newerCharacters } from "../characters/newer-characters.js";
import { characterNormalizer, type Normalizer } from "./normalizer.js";

/** Drops marks, as accents are after {@link nfd}. */
export const stripAccents: Normalizer = /* @__PURE__ */ characterNormalizer("strip accents", stripped, {
  apply: (text) => (anyMark.test(text) ? Array.from(text, stripped).join("") : text),
  json: { type: "StripAccents" },
});

const anyMark = /\p{M}/u;

function stripped(character: string): string {
  return anyMark.test(character) && !newerCharacters.marks.test(character) ? "" : character;
}
