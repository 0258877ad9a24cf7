import { ByteReader, checks, FormatError } from "@qkv/core";

/** The vocabulary of a llama2.c tokenizer file: for each token, by id, its bytes and merge score. */
export type Llama2cVocabulary = {
  readonly pieces: readonly Uint8Array[];
  readonly scores: readonly number[];
};

/**
 * Reads a llama2.c tokenizer file: int32 longest token in bytes, then for each token float32 score, int32 length
 * and that many bytes, all little-endian. The file does not say how many tokens there are; it is read to its end.
 *
 * @throws {FormatError} If a field is cut short or impossible; the field is named, as `tokens[7].length`.
 * @see karpathy/llama2.c, `build_tokenizer` in run.c
 */
export function readLlama2cVocabulary(bytes: Uint8Array): Llama2cVocabulary {
  const source = "tokenizer file";
  const reader = new ByteReader(bytes, { fn: "llama2cTokenizer", source });
  const check = checks("llama2cTokenizer", {
    fix: "give a tokenizer file as llama2.c writes it; the file is damaged or of another format.",
  });
  const damaged = (field: string, received: unknown, expected: string): never =>
    check.refuse({ argument: `${source}: ${field}`, received, expected }, FormatError);

  const longest = reader.int32("max_token_length");
  if (longest < 1) damaged("max_token_length", longest, "1 or more bytes");
  const pieces: Uint8Array[] = [];
  const scores: number[] = [];
  while (reader.remaining > 0) {
    const field = `tokens[${pieces.length}]`;
    const score = reader.float32(`${field}.score`);
    if (!Number.isFinite(score)) damaged(`${field}.score`, score, "a finite number");
    const length = reader.int32(`${field}.length`);
    if (length < 0 || length > longest) {
      damaged(`${field}.length`, length, `0 to max_token_length = ${longest} bytes`);
    }
    scores.push(score);
    pieces.push(new Uint8Array(reader.bytes(`${field}.bytes`, length))); // a copy: the file may be let go or written over
  }
  if (pieces.length < 3) {
    damaged("tokens", pieces.length, "3 or more: unknown, beginning and end of sequence come first");
  }
  return { pieces, scores };
}
