/**
 * The end of an English contraction that begins with the apostrophe at `at`: `'s`, `'t`, `'m`, `'d`, `'re`, `'ve`,
 * `'ll`. Returns `at` if there is none.
 *
 * @param letters - `"lower"`: lowercase only. `"any"`: `'S` too. `"folded"`: also the long s, U+017F, which case folding maps to s
 *   (the kelvin sign is the only other letter outside of ASCII that it maps to a letter of ASCII).
 */
export function contractionEnd(text: string, at: number, letters: "lower" | "any" | "folded"): number {
  if (text.charCodeAt(at) !== 39) return at;
  const [first, second] = [letter(text, at + 1, letters), letter(text, at + 2, letters)];
  if (first === "s" || first === "t" || first === "m" || first === "d") return at + 2;
  if ((first === "l" && second === "l") || ((first === "r" || first === "v") && second === "e"))
    return at + 3;
  return at;
}

function letter(text: string, at: number, letters: "lower" | "any" | "folded"): string {
  const character = text.charAt(at);
  if (letters === "lower") return character;
  if (character === "ſ") return letters === "folded" ? "s" : character;
  return character >= "A" && character <= "Z" ? character.toLowerCase() : character;
}
