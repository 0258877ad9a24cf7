import { checks } from "@qkv/core";
import { checkTokenizer, isText } from "../check-arguments.js";
import type { Tokenizer } from "../tokenizer.js";

/** The length of a text in bytes and tokens. */
export type TokenCost = {
  readonly name: string;
  /** UTF-8 bytes. */
  readonly bytes: number;
  readonly tokens: number;
  /** 0 for a text without tokens. */
  readonly bytesPerToken: number;
};

/**
 * Measures a tokenizer's compression of several texts: languages, code, numbers. Fewer bytes per token mean more tokens
 * for the same text, so more compute, and less text in a context.
 *
 * @param texts - By name.
 * @returns In the order of the texts.
 *
 * @example
 * ```ts
 * import { byteLevelBpe } from "@qkv/tokenizer";
 * import { bytesPerToken } from "@qkv/tokenizer/tracing";
 * import { trainBpe } from "@qkv/tokenizer/training";
 *
 * const tokenizer = byteLevelBpe(await trainBpe(["the cat and the dog ".repeat(9)], { vocabSize: 270 }));
 * const [english, french] = bytesPerToken(tokenizer, { English: "the cat", French: "le chat" });
 * english.bytesPerToken > french.bytesPerToken; // => true
 * ```
 */
export function bytesPerToken(
  tokenizer: Pick<Tokenizer, "encode">,
  texts: Readonly<Record<string, string>>,
): TokenCost[] {
  const check = checks("bytesPerToken");
  checkTokenizer(check, { tokenizer }, ["encode"]);
  check.each(
    { texts },
    (value) => typeof value === "object" && value !== null && Object.values(value).every(isText),
    "texts by name",
  );
  return Object.entries(texts).map(([name, text]) => {
    const bytes = new TextEncoder().encode(text).length;
    const tokens = tokenizer.encode(text, { addSpecialTokens: false }).length;
    return { name, bytes, tokens, bytesPerToken: tokens === 0 ? 0 : bytes / tokens };
  });
}
