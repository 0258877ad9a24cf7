import { byCharacter, type Rewrite } from "./rewrite.js";

/** Small letters, each character by itself: a sigma at the end of a word is `σ`. */
export const lowercase: Rewrite = /* @__PURE__ */ byCharacter("lowercase", lower, {
  // A string's own way knows the end of a word; it is the same where there is no sigma.
  apply: (text) => (text.includes("Σ") ? Array.from(text, lower).join("") : text.toLowerCase()),
  json: { type: "Lowercase" },
});

function lower(character: string): string {
  return character.toLowerCase();
}
