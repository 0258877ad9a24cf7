import { characterNormalizer, type Normalizer } from "./normalizer.js";

/** Lowercase, each character by itself: a sigma at the end of a word is `σ`. */
export const lowercase: Normalizer = /* @__PURE__ */ characterNormalizer("lowercase", lower, {
  // `toLowerCase` treats the end of a word specially, for sigma only.
  apply: (text) => (text.includes("Σ") ? Array.from(text, lower).join("") : text.toLowerCase()),
  json: { type: "Lowercase" },
});

function lower(character: string): string {
  return character.toLowerCase();
}
