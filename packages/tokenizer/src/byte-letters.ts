/**
 * The letter that stands for each byte in the vocabularies of byte-level BPE, where a space is `Ġ` and a line feed
 * `Ċ`. A byte that prints in Latin-1 is its own character; the others follow in order, from U+0100 on.
 *
 * @see openai/gpt-2, `bytes_to_unicode` in src/encoder.py
 */
export const byteLetters: readonly string[] = /* @__PURE__ */ letters();

/** The byte behind each of the {@link byteLetters}. */
export const byteOfLetter: ReadonlyMap<string, number> = /* @__PURE__ */ bytesByLetter();

/** The bytes in the order of GPT-2's vocabulary: first those that are their own letter, then the others. */
export const bytesInOrder: readonly number[] = /* @__PURE__ */ order();

function order(): number[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  return [...bytes.filter(isItsOwnLetter), ...bytes.filter((byte) => !isItsOwnLetter(byte))];
}

function bytesByLetter(): Map<string, number> {
  return new Map(byteLetters.map((letter, byte) => [letter, byte]));
}

function letters(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isItsOwnLetter(byte) ? byte : 256 + others++),
  );
}

function isItsOwnLetter(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}
