import { ArgumentError, describeValue, FormatError } from "@qkv/core";
import { readLlama2cVocabulary } from "./llama2c-vocabulary.js";
import { mergePairs, type FindMerge, type Merge } from "./merge-pairs.js";
import { tokenDecoder } from "./token-decoder.js";
import type { Tokenizer } from "./tokenizer.js";

/**
 * The tokenizer in a llama2.c file (`tokenizer.bin`, `tok512.bin`): byte-pair encoding with scores, as
 * SentencePiece trains it. It gives the ids that llama2.c gives.
 *
 * A space goes in front of a text that is not empty; characters become tokens, or the tokens of their UTF-8 bytes
 * where there is none; then neighbours merge, highest score first. Written-out names of special tokens (`<s>`,
 * `<0x41>`) are ordinary text. Time: O(n log n) for any text of n characters.
 *
 * @param bytes - The whole file.
 * @param options - `vocabSize`: how many tokens the model knows. Default: as many as the file holds.
 * @returns Its beginning of a sequence is 1, its end 2; byte b is token b + 3. `decode(encode(text))` is `text`.
 *   Decoding drops the space in front behind token 1 only, so that a continuation keeps its first space.
 * @throws {FormatError} If the file is damaged or of another format, or holds another number of tokens than
 *   `vocabSize`; the field is named.
 * @see karpathy/llama2.c, `encode` and `decode` in run.c
 *
 * @example
 * ```ts
 * import { llama2cTokenizer } from "@qkv/tokenizer";
 *
 * // A file of six tokens, all with score 0: three special ones, a space, "a" and " a".
 * const file = [2, 0, 0, 0]; // the longest has two bytes
 * for (const token of ["?", "^", "$", " ", "a", " a"]) {
 *   file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
 * }
 * const tokenizer = llama2cTokenizer(Uint8Array.from(file));
 * tokenizer.encode("a a"); // => [1, 5, 5]
 * tokenizer.decode([1, 5, 5]); // => "a a"
 * ```
 */
export function llama2cTokenizer(bytes: Uint8Array, options: { vocabSize?: number } = {}): Tokenizer {
  if (!(bytes instanceof Uint8Array)) {
    throw new ArgumentError({
      fn: "llama2cTokenizer",
      argument: "bytes",
      received: bytes,
      expected: "a Uint8Array",
      fix: "give the file's content: `await readFile(path)`, or `new Uint8Array(await response.arrayBuffer())`.",
    });
  }
  const { pieces, scores } = readLlama2cVocabulary(bytes);
  const vocabSize = options.vocabSize ?? pieces.length;
  if (pieces.length !== vocabSize) {
    throw new FormatError({
      fn: "llama2cTokenizer",
      argument: "tokenizer file: number of tokens",
      received: pieces.length,
      expected: `vocabSize = ${vocabSize}`,
      fix: "give the tokenizer that the model was trained with.",
    });
  }

  // What a text may become: neither the special tokens in front nor those that spell a byte.
  const byteTokens = pieces.map((piece) => byteOf(piece));
  const ids = new Map<string, number>();
  pieces.forEach((piece, id) => {
    const text = strictText(piece);
    if (id > eosId && byteTokens[id] === undefined && text !== undefined && !ids.has(text)) ids.set(text, id);
  });
  const findMerge = mergeTable(ids, scores);
  const decoded = pieces.map((piece, id) =>
    byteTokens[id] === undefined ? piece : Uint8Array.of(byteTokens[id]),
  );

  const idsOfBytes = (character: string) =>
    Array.from(utf8.encode(character), (byte) => {
      if (byteTokens[byte + firstByteId] === byte) return byte + firstByteId;
      throw new ArgumentError({
        fn: "encode",
        argument: "text",
        received: character,
        expected: "text of characters that the vocabulary has",
        fix: `leave ${describeValue(character)} out, or take a vocabulary with a token for each byte.`,
      });
    });

  const decoder = () => tokenDecoder(decoded, bosId);
  return {
    vocabSize,
    bosId,
    eosId,
    encode(text, { bos = true } = {}) {
      if (typeof text !== "string") {
        throw new ArgumentError({
          fn: "encode",
          argument: "text",
          received: text,
          expected: "a string",
          fix: "decode bytes first: `new TextDecoder().decode(bytes)`.",
        });
      }
      const start = bos ? [bosId] : [];
      if (text === "") return start;
      const characters: number[] = [];
      for (const character of wellFormed(` ${text}`)) {
        const id = ids.get(character);
        if (id === undefined) characters.push(...idsOfBytes(character));
        else characters.push(id);
      }
      return start.concat(mergePairs(characters, findMerge));
    },
    decode(ids) {
      const { push, end } = decoder();
      return Array.from(ids, push).join("") + end();
    },
    decoder,
  };
}

const [bosId, eosId, firstByteId] = [1, 2, 3];
const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Every way to cut a token into two others, looked up by those two: what text-by-text search would find. */
function mergeTable(ids: ReadonlyMap<string, number>, scores: readonly number[]): FindMerge {
  const merges = new Map<number, Merge>();
  for (const [text, id] of ids) {
    for (let cut = 1; cut < text.length; cut++) {
      const [left, right] = [ids.get(text.slice(0, cut)), ids.get(text.slice(cut))];
      if (left === undefined || right === undefined) continue;
      merges.set(left * scores.length + right, { id, score: scores[id]! });
    }
  }
  return (left, right) => merges.get(left * scores.length + right);
}

/** The byte that `<0x41>` spells, or undefined where a token spells none. */
function byteOf(piece: Uint8Array): number | undefined {
  const hex = piece.length === 6 ? /^<0x([0-9A-F]{2})>$/.exec(strictText(piece) ?? "")?.[1] : undefined;
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

/** The text of a token, or undefined where its bytes are not UTF-8: no text can become such a token. */
function strictText(piece: Uint8Array): string | undefined {
  try {
    return strict.decode(piece);
  } catch {
    return undefined;
  }
}

/** `text` with U+FFFD for each lone surrogate. */
function wellFormed(text: string): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8.encode(text));
}
