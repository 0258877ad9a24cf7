import { checks } from "@qkv/core";
import type { TrainedBpe } from "./train-bpe.js";

/**
 * Writes a trained BPE as the text of a `tokenizer.json`, which Hugging Face's tokenizers and this package load. Its
 * pre-tokenizer is GPT-2's: train with the default split.
 *
 * @example
 * ```ts
 * import { trainBpe, trainedBpeToJson } from "@qkv/tokenizer/training";
 *
 * const trained = await trainBpe(["hug hugs"], { vocabSize: 258 });
 * JSON.parse(trainedBpeToJson(trained)).model.merges; // => [["u", "g"], ["h", "ug"]]
 * ```
 */
export function trainedBpeToJson(trained: TrainedBpe): string {
  const { vocab, merges, specialTokens } = trained ?? {};
  const isComplete = vocab instanceof Map && Array.isArray(merges) && typeof specialTokens === "object";
  checks("trainedBpeToJson").each({ trained }, () => isComplete, "what `trainBpe` gives");
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: Object.entries(specialTokens).map(([content, id]) => ({
      id,
      content,
      ...plain,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: bytes,
    post_processor: { ...bytes, trim_offsets: false },
    decoder: bytes,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  };
  return `${JSON.stringify(file, null, 1)}\n`;
}
