import type { Model } from "@qkv/transformer";

/** Text of a token; bytes that are no letter by themselves are written as such. */
export function textOf({ tokenizer }: Pick<Model, "tokenizer">, id: number): string {
  const text = tokenizer!.decode([id], { skipSpecialTokens: false });
  return text.includes("\u{fffd}") ? (tokenizer!.token(id) ?? text) : text;
}
