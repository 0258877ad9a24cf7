import { checks } from "@qkv/core";
import { checkHas } from "./check-arguments.js";
import type { AddedToken } from "./added-tokens.js";
import { composeTokenizer } from "./compose-tokenizer.js";
import { byteLevelDecoder } from "./decoders/byte-level-decoder.js";
import { checkedByteBpe, type ByteBpeOptions } from "./models/byte-bpe.js";
import { gpt2Split } from "./pre-tokenizers/gpt2-split.js";
import type { Split } from "./pre-tokenizers/split.js";
import type { Tokenizer } from "./tokenizer.js";

/**
 * A byte-level BPE tokenizer from its vocabulary and merges, as a trainer gives them, or as `vocab.json` and
 * `merges.txt` hold them.
 *
 * @param trained - Tokens and merges, byte-to-unicode (`Ġthe`).
 * @param options - `split`: the pre-tokenizer. Default: {@link gpt2Split}. `specialTokens`: tokens with
 *   their ids, found in the text first. Default: none. A special token that is also in the vocabulary must have the same id there.
 * @returns Its `eosId` is the special token `<|endoftext|>`, if there is one.
 * @throws {ArgumentError} If the vocabulary or a merge is damaged; the entry is named.
 *
 * @example
 * ```ts
 * import { byteLevelBpe } from "@qkv/tokenizer";
 *
 * const vocab = ["a", "b", "Ġ", "ab", "Ġab"];
 * const tokenizer = byteLevelBpe({ vocab, merges: ["a b", "Ġ ab"] }, { specialTokens: { "<|end|>": 5 } });
 * tokenizer.encode("ab ab<|end|>"); // => [3, 4, 5]
 * tokenizer.decode([3, 4]); // => "ab ab"
 * ```
 */
export function byteLevelBpe(
  trained: ByteBpeOptions,
  options: { split?: Split; specialTokens?: Readonly<Record<string, number>> } = {},
): Tokenizer {
  const check = checks("byteLevelBpe");
  const { split = gpt2Split, specialTokens = {} } = check.options(options, ["split", "specialTokens"]);
  checkHas(check, { split }, ["spans"], "a split, such as `gpt2Split`");
  const addedTokens = Object.entries(specialTokens).map(([content, id]): AddedToken => ({
    content,
    id,
    special: true,
  }));
  return composeTokenizer({
    preTokenizers: [split],
    model: checkedByteBpe(trained, check, "trained"),
    decoder: byteLevelDecoder,
    addedTokens,
    eosId: specialTokens["<|endoftext|>"],
  });
}
