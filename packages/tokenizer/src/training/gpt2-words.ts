// What ECMAScript calls \s differs from Unicode's white space: it has U+FEFF and lacks U+0085.
const pattern =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * Cuts a text into words as GPT-2 does: letters, digits and other characters apart, a space with what follows it, and
 * English contractions by themselves. The words, joined, are the text.
 *
 * @see openai/gpt-2, `pat` in src/encoder.py
 */
export function gpt2Words(text: string): readonly string[] {
  return text.match(pattern) ?? [];
}
