import { characterNormalizer, type Normalizer } from "./normalizer.js";

/** Lowercases each character separately: a sigma at the end of a word becomes `σ`. */
export const lowercase: Normalizer = /* @__PURE__ */ characterNormalizer("lowercase", lower, {
  // `toLowerCase` treats the end of a word specially, for sigma only.
  apply: (text) => (text.includes("Σ") ? Array.from(text, lower).join("") : text.toLowerCase()),
  json: { type: "Lowercase" },
});

function lower(character: string): string {
  return character.toLowerCase();
}
