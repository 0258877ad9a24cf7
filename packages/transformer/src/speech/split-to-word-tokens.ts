import type { Tokenizer } from "@qkv/tokenizer";

/** A word and its tokens. */
export type Word = { readonly text: string; readonly ids: readonly number[] };

/** Scripts without spaces between words. */
const withoutSpaces =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Myanmar}]/u;
/** Opening punctuation, which belongs to the following word. */
const opening = /^\s+["'“¿([{-]+$/u;

/**
 * Splits tokens into words, as Whisper's `split_to_word_tokens`. A word ends before a token that begins with a space or with a character of a script
 * without spaces. Punctuation belongs to the word before it, opening punctuation to the word after it. Without a tokenizer, each token is a word.
 */
export function splitToWordTokens(
  tokenizer: Pick<Tokenizer, "decode"> | undefined,
  ids: readonly number[],
): Word[] {
  if (!tokenizer) return ids.map((id) => ({ text: "", ids: [id] }));
  const words: { text: string; ids: number[] }[] = [];
  for (const { text, ids: groupIds } of characterGroups(tokenizer, ids)) {
    const last = words.at(-1);
    const begins = /^\s/u.test(text) || withoutSpaces.test(text);
    if (!last || (begins && !opening.test(last.text))) words.push({ text, ids: [...groupIds] });
    else {
      last.text += text;
      last.ids.push(...groupIds);
    }
  }
  return words;
}

/** Groups tokens so that each group ends with a complete character. The text of a group is what it adds to the text before. */
function characterGroups({ decode }: Pick<Tokenizer, "decode">, ids: readonly number[]): Word[] {
  const groups: Word[] = [];
  let [text, first] = ["", 0];
  ids.forEach((_, i) => {
    const decoded = decode(ids.slice(0, i + 1));
    // An incomplete character becomes U+FFFD.
    if (decoded.endsWith("\ufffd") && i < ids.length - 1) return;
    groups.push({ text: decoded.slice(text.length), ids: ids.slice(first, i + 1) });
    [text, first] = [decoded, i + 1];
  });
  return groups;
}
