import { ArgumentError, FormatError } from "@qkv/core";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { byteLevelDecode } from "../decoding/byte-level-decode.js";
import { byteBpeOf } from "../models/byte-bpe.js";
import { mergeByVocabulary } from "../models/merge-list.js";
import { TokenBytes } from "../models/token-bytes.js";
import { splitOfPattern } from "../splitting/known-splits.js";
import type { Split } from "../splitting/split.js";
import type { Tokenizer } from "../tokenizer.js";

/** Ranks as a module of js-tiktoken or an encoder of tiktoken holds them: `js-tiktoken/ranks/o200k_base`. */
export type TiktokenRanks = {
  readonly pat_str: string;
  readonly special_tokens: Readonly<Record<string, number>>;
  readonly bpe_ranks: string;
};

/**
 * The tokenizer of tiktoken's ranks: a `.tiktoken` file, or a module of js-tiktoken, which also says the pattern and
 * the special tokens. It gives the ids that tiktoken gives.
 *
 * @param ranks - The file's bytes or text, or the module's default export.
 * @param options - `split`: how text is cut before merging; needed for a file, which does not say
 *   ({@link cl100kSplit}, {@link o200kSplit}, {@link gpt2Split}). `specialTokens`: their ids. Default: those of the
 *   module; none for a file.
 * @returns A special token inside a text is ordinary text unless `encode` is asked otherwise, as in tiktoken's
 *   `encode_ordinary`.
 * @throws {FormatError} If the ranks are damaged; the line is named. {@link ArgumentError} without a split.
 * @see openai/tiktoken, tiktoken/load.py
 *
 * @example
 * ```ts
 * import { gpt2Split, tiktokenTokenizer } from "@qkv/tokenizer";
 *
 * const file = "aA== 0\naQ== 1\nIQ== 2\naGk= 3"; // "h", "i", "!", "hi" in base64, with their ranks
 * tiktokenTokenizer(file, { split: gpt2Split }).encode("hi!"); // => [3, 2]
 * ```
 */
export function tiktokenTokenizer(
  ranks: Uint8Array | string | TiktokenRanks,
  options: { split?: Split; specialTokens?: Readonly<Record<string, number>> } = {},
): Tokenizer {
  const fn = "tiktokenTokenizer";
  const isFile = typeof ranks === "string" || ranks instanceof Uint8Array;
  if (!isFile && (typeof ranks !== "object" || typeof ranks?.bpe_ranks !== "string")) {
    throw new ArgumentError({
      fn,
      argument: "ranks",
      received: ranks,
      expected:
        "the bytes or text of a .tiktoken file, or a module of js-tiktoken with pat_str and bpe_ranks",
      fix: 'give `await readFile("cl100k_base.tiktoken")`, or the default export of `js-tiktoken/ranks/cl100k_base`.',
    });
  }
  const text = isFile
    ? typeof ranks === "string"
      ? ranks
      : new TextDecoder().decode(ranks)
    : ranks.bpe_ranks;
  const split =
    options.split ??
    (isFile ? undefined : splitOfPattern(ranks.pat_str, { dialect: "rust", field: "pat_str" }));
  if (!split) {
    throw new ArgumentError({
      fn,
      argument: "split",
      received: undefined,
      expected: "how text is cut, which a .tiktoken file does not say",
      fix: "give `{ split: cl100kSplit }`, or the split of the model that the ranks belong to.",
    });
  }
  const specialTokens = options.specialTokens ?? (isFile ? {} : ranks.special_tokens);
  const tokens = isFile ? readLines(text, fn) : readBlocks(text, fn);
  return composeTokenizer({
    preTokenize: [split],
    model: byteBpeOf(tokens, mergeByVocabulary(tokens), { wholePieces: true }),
    decode: byteLevelDecode,
    addedTokens: Object.entries(specialTokens).map(([content, id]): AddedToken => ({
      content,
      id,
      special: true,
    })),
    specialTokens: "ordinary",
    eosId: specialTokens["<|endoftext|>"],
  });
}

/** A `.tiktoken` file: a token in base64 and its rank on each line. */
function readLines(text: string, fn: string): TokenBytes {
  const builder = new RanksBuilder(text, fn);
  let line = 0;
  for (let at = 0; at < text.length; line++) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const space = text.indexOf(" ", at);
    if (end > at && text.slice(at, end).trim() !== "") {
      if (space < 0 || space > end)
        throw builder.damaged(
          `line ${line + 1}`,
          text.slice(at, end),
          "a token in base64, a space and a rank",
        );
      builder.add(
        at,
        space,
        builder.rank(text.slice(space + 1, end), `line ${line + 1}`),
        `line ${line + 1}`,
      );
    }
    at = end + 1;
  }
  return builder.finish();
}

/** js-tiktoken's writing: lines of `! RANK TOKEN TOKEN …`, whose tokens have that rank and those after it. */
function readBlocks(text: string, fn: string): TokenBytes {
  const builder = new RanksBuilder(text, fn);
  let line = 0;
  for (let at = 0; at < text.length; line++) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const field = `bpe_ranks, line ${line + 1}`;
    let [word, rank] = [0, 0];
    for (let start = at; start < end; word++) {
      const space = text.indexOf(" ", start);
      const stop = space < 0 || space > end ? end : space;
      if (word === 1) rank = builder.rank(text.slice(start, stop), field);
      else if (word > 1) builder.add(start, stop, rank++, field);
      start = stop + 1;
    }
    at = end + 1;
  }
  return builder.finish();
}

/** Collects tokens in one arena. */
class RanksBuilder {
  readonly #text: string;
  readonly #fn: string;
  readonly #arena: Uint8Array;
  readonly #ends: [rank: number, start: number, end: number][] = [];
  #length = 0;

  constructor(text: string, fn: string) {
    this.#text = text;
    this.#fn = fn;
    this.#arena = new Uint8Array(text.length);
  }

  rank(text: string, field: string): number {
    const rank = /^\d{1,7}\s*$/.test(text) ? Number(text) : -1;
    if (rank < 0) throw this.damaged(`${field}: rank`, text, "a whole number below 10 million");
    return rank;
  }

  /** Takes the token that `text[start .. end)` spells in base64. */
  add(start: number, end: number, rank: number, field: string): void {
    const from = this.#length;
    let [bits, count] = [0, 0];
    for (let at = start; at < end; at++) {
      const unit = this.#text.charCodeAt(at);
      if (unit === 61) continue; // "=", which only fills up
      const value = unit < 128 ? sextets[unit]! : -1;
      if (value < 0) throw this.damaged(`${field}: token`, this.#text.slice(start, end), "base64");
      bits = ((bits << 6) | value) & 0xffffff;
      count += 6;
      if (count >= 8) {
        count -= 8;
        this.#arena[this.#length++] = bits >> count;
      }
    }
    if (this.#length === from)
      throw this.damaged(`${field}: token`, this.#text.slice(start, end), "one byte or more");
    this.#ends.push([rank, from, this.#length]);
  }

  finish(): TokenBytes {
    if (this.#ends.length === 0) throw this.damaged("ranks", "no tokens", "one token or more");
    this.#ends.sort((a, b) => a[0] - b[0]); // files are in this order as a rule
    const last = this.#ends.at(-1)![0];
    if (last > 4 * this.#ends.length + 1_000_000) {
      throw this.damaged("ranks", last, `ranks that fit ${this.#ends.length} tokens`);
    }
    const starts = new Uint32Array(last + 2);
    const arena = new Uint8Array(this.#length);
    let [id, at] = [0, 0];
    for (const [rank, start, end] of this.#ends) {
      if (rank < id) throw this.damaged("ranks", rank, "one token for each rank");
      for (; id <= rank; id++) starts[id] = at;
      arena.set(this.#arena.subarray(start, end), at);
      at += end - start;
    }
    starts[id] = at;
    return new TokenBytes(arena, starts);
  }

  damaged(field: string, received: unknown, expected: string): FormatError {
    return new FormatError({
      fn: this.#fn,
      argument: field,
      received,
      expected,
      fix: "give a .tiktoken file or a module of js-tiktoken as they are published; this one is damaged.",
    });
  }
}

const sextets = /* @__PURE__ */ base64Table();

function base64Table(): Int8Array {
  const table = new Int8Array(128).fill(-1);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let value = 0; value < 64; value++) table[letters.charCodeAt(value)] = value;
  return table;
}
