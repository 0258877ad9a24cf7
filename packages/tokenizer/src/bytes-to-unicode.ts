/**
 * GPT-2's byte-to-unicode map: the character of each byte in byte-level vocabularies. A space is `Ġ` and a line feed
 * `Ċ`. A byte that prints in Latin-1 is its own character; the others follow in order, from U+0100 on.
 *
 * @see openai/gpt-2, `bytes_to_unicode` in src/encoder.py
 */
export const bytesToUnicode: readonly string[] = /* @__PURE__ */ characters();

/** The inverse of {@link bytesToUnicode}. */
export const unicodeToByte: ReadonlyMap<string, number> = /* @__PURE__ */ invert();

/** The bytes in the order of GPT-2's vocabulary: first those that are their own character, then the others. */
export const gpt2ByteOrder: readonly number[] = /* @__PURE__ */ order();

function order(): number[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  return [...bytes.filter(isPrintable), ...bytes.filter((byte) => !isPrintable(byte))];
}

function invert(): Map<string, number> {
  return new Map(bytesToUnicode.map((character, byte) => [character, byte]));
}

function characters(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : 256 + others++),
  );
}

function isPrintable(byte: number): boolean {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
}
