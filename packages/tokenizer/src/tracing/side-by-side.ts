import { checks } from "@qkv/core";
import { checkTokenizer } from "../check-arguments.js";
import type { Tokenizer } from "../tokenizer.js";

/** A text in pieces. `pieces` of `@qkv/viz` draws a list of these. */
export type Segmentation = {
  /** Name of the pieces: "words". */
  readonly label: string;
  readonly pieces: readonly string[];
  /** A note for each piece: its code point, its id. */
  readonly notes: readonly string[];
};

/**
 * Segments a text into words, characters, bytes, and the tokens of a tokenizer.
 *
 * @returns Four segmentations, in this order. Words are separated by white space, and keep the space in front; a byte is written
 *   as two hexadecimal digits; a token that is not whole characters, as in its vocabulary.
 *
 * @example
 * ```ts
 * import { byteLevelBpe } from "@qkv/tokenizer";
 * import { sideBySide } from "@qkv/tokenizer/tracing";
 *
 * const tokenizer = byteLevelBpe({ vocab: ["h", "i", "Ġ", "hi", "Ġhi"], merges: ["h i", "Ġ hi"] });
 * const segmentations = sideBySide("hi hi", tokenizer); // words, characters, bytes, tokens
 * segmentations.map(({ pieces }) => pieces.length); // => [2, 5, 5, 2]
 * ```
 */
export function sideBySide(
  text: string,
  tokenizer: Pick<Tokenizer, "encode" | "decode" | "token">,
): Segmentation[] {
  const check = checks("sideBySide");
  check.type({ text }, "string");
  checkTokenizer(check, { tokenizer }, ["encode", "decode", "token"]);
  const characters = [...text];
  const bytes = [...new TextEncoder().encode(text)];
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  const words = text.match(/\s*\S+|\s+$/gu) ?? [];
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0");
  const tokenText = (id: number) => {
    const decoded = tokenizer.decode([id]);
    return decoded.includes("\ufffd") ? (tokenizer.token(id) ?? decoded) : decoded;
  };
  return [
    { label: "words", pieces: words, notes: words.map((word) => `${word.length} letters`) },
    {
      label: "characters",
      pieces: characters,
      notes: characters.map((character) => `U+${hex(character.codePointAt(0)!, 4)}`),
    },
    { label: "bytes", pieces: bytes.map((byte) => hex(byte, 2)), notes: bytes.map(String) },
    { label: "tokens", pieces: ids.map(tokenText), notes: ids.map((id) => `id ${id}`) },
  ];
}
