import { ArgumentError, FormatError, checks } from "@qkv/core";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { byteLevelDecoder } from "../decoders/byte-level-decoder.js";
import { byteBpeFromTokens } from "../models/byte-bpe.js";
import { mergeByVocabulary } from "../models/merge-list.js";
import { TokenBytes } from "../models/token-bytes.js";
import { splitFromPattern } from "../pre-tokenizers/known-splits.js";
import type { Split } from "../pre-tokenizers/split.js";
import type { Tokenizer } from "../tokenizer.js";

/** Ranks as a module of js-tiktoken or an encoder of tiktoken holds them: `js-tiktoken/ranks/o200k_base`. */
export type TiktokenRanks = {
  readonly pat_str: string;
  readonly special_tokens: Readonly<Record<string, number>>;
  readonly bpe_ranks: string;
};

/**
 * The tokenizer of tiktoken's ranks: a `.tiktoken` file, or a module of js-tiktoken, which also holds the pattern and
 * the special tokens. It gives the ids that tiktoken gives.
 *
 * @param ranks - The file's bytes or text, or the module's default export.
 * @param options - `split`: the pre-tokenizer; required for a file, which does not name one
 *   ({@link cl100kSplit}, {@link o200kSplit}, {@link gpt2Split}). `specialTokens`: their ids. Default: those of the
 *   module; none for a file.
 * @returns A special token inside a text is ordinary text unless `encode` is given `specialTokens`, as in tiktoken's
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
  checks(fn).options(options, ["split", "specialTokens"]);
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
    (isFile ? undefined : splitFromPattern(ranks.pat_str, { dialect: "rust", field: "pat_str" }));
  if (!split) {
    throw new ArgumentError({
      fn,
      argument: "split",
      received: undefined,
      expected: "a split, which a .tiktoken file does not name",
      fix: "give `{ split: cl100kSplit }`, or the split of the model that the ranks belong to.",
    });
  }
  const specialTokens = options.specialTokens ?? (isFile ? {} : ranks.special_tokens);
  const tokens = isFile ? readLines(text, fn) : readBlocks(text, fn);
  return composeTokenizer({
    preTokenizers: [split],
    model: byteBpeFromTokens(tokens, mergeByVocabulary(tokens), { ignoreMerges: true }),
    decoder: byteLevelDecoder,
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
  const builder = new RanksBuilder(text, fn, "");
  for (let at = 0; at < text.length; builder.line++) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const space = text.indexOf(" ", at);
    if (end > at && (space < 0 || space > end)) {
      const rest = text.slice(at, end);
      if (rest.trim() !== "") throw builder.damaged("", rest, "a token in base64, a space and a rank");
    } else if (end > at) builder.add(at, space, builder.rank(space + 1, end));
    at = end + 1;
  }
  return builder.finish();
}

/** js-tiktoken's format: lines of `! RANK TOKEN TOKEN …`, whose tokens have that rank and those after it. */
function readBlocks(text: string, fn: string): TokenBytes {
  const builder = new RanksBuilder(text, fn, "bpe_ranks, ");
  for (let at = 0; at < text.length; builder.line++) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    let [word, rank] = [0, 0];
    for (let start = at; start < end; word++) {
      const space = text.indexOf(" ", start);
      const stop = space < 0 || space > end ? end : space;
      if (word === 1) rank = builder.rank(start, stop);
      else if (word > 1) builder.add(start, stop, rank++);
      start = stop + 1;
    }
    at = end + 1;
  }
  return builder.finish();
}

/** Collects tokens in one arena of typed arrays: an array for each of 200,000 tokens took half of a cold start. */
class RanksBuilder {
  /** The line that is read, from 0. */
  line = 0;
  readonly #text: string;
  readonly #fn: string;
  readonly #source: string;
  readonly #arena: Uint8Array;
  readonly #ranks: Uint32Array;
  readonly #ends: Uint32Array;
  #count = 0;
  #length = 0;

  constructor(text: string, fn: string, source: string) {
    this.#text = text;
    this.#fn = fn;
    this.#source = source;
    this.#arena = new Uint8Array(text.length);
    // A token is two characters or more, and a separator follows it.
    this.#ranks = new Uint32Array(Math.ceil(text.length / 3));
    this.#ends = new Uint32Array(Math.ceil(text.length / 3));
  }

  /** The number in `text[start .. end)`. */
  rank(start: number, end: number): number {
    const text = this.#text.slice(start, end);
    const rank = /^\d{1,7}\s*$/.test(text) ? Number(text) : -1;
    if (rank < 0) throw this.damaged(": rank", text, "an integer below 10 million");
    return rank;
  }

  /** Adds the token whose base64 is `text[start .. end)`. */
  add(start: number, end: number, rank: number): void {
    const [text, arena] = [this.#text, this.#arena];
    const from = this.#length;
    let [bits, count, length] = [0, 0, from];
    for (let at = start; at < end; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 61) continue; // "=", base64 padding
      const value = unit < 128 ? sextets[unit]! : -1;
      if (value < 0) throw this.damaged(": token", text.slice(start, end), "base64");
      bits = ((bits << 6) | value) & 0xffffff;
      count += 6;
      if (count >= 8) {
        count -= 8;
        arena[length++] = bits >> count;
      }
    }
    if (length === from) throw this.damaged(": token", text.slice(start, end), "one byte or more");
    this.#ranks[this.#count] = rank;
    this.#ends[this.#count++] = this.#length = length;
  }

  finish(): TokenBytes {
    const count = this.#count;
    const [ranks, ends] = [this.#ranks.subarray(0, count), this.#ends.subarray(0, count)];
    if (count === 0) throw this.#refuse("ranks", "no tokens", "one token or more");
    const last = ranks.reduce((max, rank) => Math.max(max, rank), 0);
    if (last > 4 * count + 1_000_000) throw this.#refuse("ranks", last, `ranks that fit ${count} tokens`);
    const inOrder = ranks.every((rank, i) => i === 0 || rank > ranks[i - 1]!);
    // Files are usually in order: then no token is moved in the arena.
    const arena = inOrder ? this.#arena.slice(0, this.#length) : new Uint8Array(this.#length);
    const order = inOrder ? undefined : Array.from(ranks, (_, i) => i).sort((a, b) => ranks[a]! - ranks[b]!);
    const starts = new Uint32Array(last + 2);
    let [id, at] = [0, 0];
    for (let n = 0; n < count; n++) {
      const i = order ? order[n]! : n;
      const [rank, start, end] = [ranks[i]!, i === 0 ? 0 : ends[i - 1]!, ends[i]!];
      if (rank < id) throw this.#refuse("ranks", rank, "one token for each rank");
      for (; id <= rank; id++) starts[id] = at;
      if (order) arena.set(this.#arena.subarray(start, end), at);
      at += end - start;
    }
    starts[id] = at;
    return new TokenBytes(arena, starts);
  }

  /** An error in the line that is read. */
  damaged(field: string, received: unknown, expected: string): FormatError {
    return this.#refuse(`${this.#source}line ${this.line + 1}${field}`, received, expected);
  }

  #refuse(field: string, received: unknown, expected: string): FormatError {
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
