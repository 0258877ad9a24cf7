/**
 * Escapes text from a file so that it is safe to print: control characters and characters that change the writing
 * direction are written as `\u001b`. Line feeds and tabs stay.
 *
 * @example
 * ```ts
 * import { visibleText } from "@qkv/core";
 *
 * visibleText("a\u001b[2Jb"); // => "a\\u001b[2Jb"
 * ```
 */
export function visibleText(text: string): string {
  return text.replace(
    /[^\P{Cc}\n\t]|[\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
