import { ArgumentError, checks, type Checks } from "@qkv/core";
import { requireOptions } from "../check-arguments.js";
import { byteLetters, byteOfLetter } from "../byte-letters.js";
import { mergeByVocabulary, mergeList, type MergePair } from "./merge-list.js";
import { mergeSteps, mergeSymbols, type Merges } from "./merge-symbols.js";
import type { Model } from "./model.js";
import { longestRemembered, PieceCache } from "./piece-cache.js";
import { TokenBytes } from "./token-bytes.js";
import { Utf8Scratch } from "./utf8-scratch.js";
import { tokensById, vocabularyJson, type Vocabulary } from "./vocabulary.js";

export type ByteBpeOptions = {
  /** The tokens, in letters that stand for bytes (`Ġthe`). */
  vocab: Vocabulary;
  /** The merges, first ones first. Without them two tokens merge when their bytes, joined, are one, lowest id first. */
  merges?: readonly MergePair[];
  /** Whether a piece that is a token stays whole, whatever the merges say (`ignore_merges`). Default: false. */
  wholePieces?: boolean;
  /**
   * What becomes of a byte that has no token: `"refuse"` it, `"drop"` it, or the id that stands for it.
   * Default: `"refuse"`.
   */
  unknown?: "refuse" | "drop" | number;
};

/**
 * Byte-level byte-pair encoding, the model of GPT-2, Llama 3, Qwen and most others: a piece of text is its UTF-8
 * bytes, and neighbours merge in the order of the list.
 *
 * Time: O(n log n) for a piece of n bytes, whatever it holds; short pieces are remembered.
 *
 * @throws {ArgumentError} If the vocabulary or a merge is damaged; the place is named.
 * @see "Language Models are Unsupervised Multitask Learners" (2019), section 2.2
 */
export function byteBpe(options: ByteBpeOptions): Model {
  const check = checks("byteBpe");
  check.options(requireOptions(check, options), ["vocab", "merges", "wholePieces", "unknown"]);
  return byteBpeNamed(options, check, "options");
}

/** The same for the function that the check names, whose argument may be the model of a file, with more in it. */
export function byteBpeNamed(options: ByteBpeOptions, check: Checks, argument: string): Model {
  const { fn } = check;
  check.each(
    { [argument]: options },
    (value) => typeof value === "object" && value !== null,
    "a vocabulary and its merges",
  );
  const letters = tokensById(options.vocab, fn);
  const tokens = TokenBytes.of(
    letters.map((token) => (token === undefined ? undefined : fromLetters(token))),
  );
  const merges = options.merges
    ? mergeList(options.merges, (token) => idOfLetters(tokens, token), fn)
    : mergeByVocabulary(tokens);
  return byteBpeOf(tokens, merges, { ...options, letters });
}

/** Byte-pair encoding over tokens that are bytes already: what tiktoken's files hold. See {@link byteBpe}. */
export function byteBpeOf(
  tokens: TokenBytes,
  merges: Merges,
  options: Pick<ByteBpeOptions, "wholePieces" | "unknown" | "merges"> & {
    letters?: readonly (string | undefined)[];
  } = {},
): Model {
  const { wholePieces = false, unknown = "refuse", letters } = options;
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => tokens.find(Uint8Array.of(byte), 0, 1));
  const cache = new PieceCache();
  const utf8 = new Utf8Scratch();
  let symbols = new Int32Array(256);

  /** The ids of the bytes, before any merge; how many there are. */
  const spell = (bytes: Uint8Array, length: number): number => {
    if (symbols.length < length) symbols = new Int32Array(2 * length);
    let count = 0;
    for (let at = 0; at < length; at++) {
      const id = byteIds[bytes[at]!]!;
      if (id >= 0) symbols[count++] = id;
      else if (typeof unknown === "number") symbols[count++] = unknown;
      else if (unknown === "refuse") throw noToken(bytes[at]!);
    }
    return count;
  };

  const bytes = (id: number): Uint8Array | undefined => {
    const bytes = id >= 0 && id < tokens.size ? tokens.bytes(id) : undefined;
    return bytes?.length ? bytes : undefined;
  };

  const token = (id: number): string | undefined => {
    if (letters) return letters[id];
    const spelled = bytes(id);
    return spelled && Array.from(spelled, (byte) => byteLetters[byte]).join("");
  };

  return {
    name: "byte-level BPE",
    readsBytes: true,
    vocabSize: tokens.size,
    append(text, start, end, ids, widths) {
      const remembered = widths === undefined && end - start <= longestRemembered;
      if (remembered && cache.append(text, start, end, ids)) return;
      const first = ids.length;
      const length = utf8.write(text, start, end);
      const whole = wholePieces ? tokens.find(utf8.bytes, 0, length) : -1;
      if (whole >= 0) {
        ids.push(whole);
        widths?.push(length);
      } else {
        const spelled = spell(utf8.bytes, length);
        const sizes = widths && new Int32Array(spelled).fill(1);
        const count = mergeSymbols(symbols, spelled, merges, sizes);
        for (let at = 0; at < count; at++) {
          ids.push(symbols[at]!);
          widths?.push(sizes![at]!);
        }
      }
      if (remembered) cache.remember(text, start, end, ids, first);
    },
    token,
    bytes,
    id(text) {
      const id = idOfLetters(tokens, text) ?? letters?.indexOf(text) ?? -1;
      return id < 0 ? undefined : id;
    },
    json: () => ({
      type: "BPE",
      unk_token: typeof unknown === "number" ? token(unknown) : null,
      ignore_merges: wholePieces,
      vocab: vocabularyJson(Array.from({ length: tokens.size }, (_, id) => token(id))),
      merges: options.merges,
    }),
    steps(piece) {
      const named = (ids: readonly number[]) => ids.map((id) => token(id) ?? "");
      const length = utf8.write(piece, 0, piece.length);
      const whole = wholePieces ? tokens.find(utf8.bytes, 0, length) : -1;
      const spelled = spell(utf8.bytes, length); // which may make room for more symbols
      const start = [...symbols.subarray(0, spelled)];
      return [start, ...(whole >= 0 ? [[whole]] : mergeSteps(start, merges))].map(named);
    },
  };
}

function idOfLetters(tokens: TokenBytes, token: string): number | undefined {
  const bytes = fromLetters(token);
  const id = bytes ? tokens.find(bytes, 0, bytes.length) : -1;
  return id < 0 ? undefined : id;
}

/** The bytes of a token in letters; undefined where it has another letter, so that no bytes can become it. */
export function fromLetters(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let at = 0; at < token.length; at++) {
    const byte = letterBytes[token.charCodeAt(at)] ?? -1;
    if (byte < 0) return undefined;
    bytes[at] = byte;
  }
  return bytes;
}

const letterBytes = /* @__PURE__ */ letterTable();

function letterTable(): Int16Array {
  const table = new Int16Array(0x144).fill(-1);
  for (const [letter, byte] of byteOfLetter) table[letter.charCodeAt(0)] = byte;
  return table;
}

function noToken(byte: number): ArgumentError {
  return new ArgumentError({
    fn: "encode",
    argument: "text",
    received: `a text with the byte 0x${byte.toString(16).padStart(2, "0")}`,
    expected: "bytes that have a token",
    fix: "take a vocabulary that has all 256 bytes.",
  });
}
