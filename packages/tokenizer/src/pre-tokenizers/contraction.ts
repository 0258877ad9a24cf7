/**
 * The end of an English contraction that begins with the apostrophe at `at`: `'s`, `'t`, `'m`, `'d`, `'re`, `'ve`,
 * `'ll`. `at` itself where there is none.
 *
 * @param letters - `"lower"`: small letters only. `"any"`: `'S` too. `"folded"`: also the long s, U+017F, which
 *   Unicode takes for an s where case does not matter (the kelvin sign is the only other such letter).
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
