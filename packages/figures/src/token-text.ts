import type { Model } from "@qkv/transformer";

/** Text of a token; for a part of a character, the token as the vocabulary writes it: `<0xE2>`. */
export function tokenText({ tokenizer }: Pick<Model, "tokenizer">, id: number): string {
  const text = tokenizer!.decode([id], { skipSpecialTokens: false });
  return text.includes("\u{fffd}") ? (tokenizer!.token(id) ?? text) : text;
}
