import { ArgumentError, checks, type Checks } from "@qkv/core";
import { requireOptions } from "../check-arguments.js";
import { bytesToUnicode, unicodeToByte } from "../bytes-to-unicode.js";
import { mergeByVocabulary, mergeList, type MergePair } from "./merge-list.js";
import { mergeSteps, mergeSymbols, type Merges } from "./merge-symbols.js";
import type { Model } from "./model.js";
import { maxCachedLength, PreTokenCache } from "./pre-token-cache.js";
import { TokenBytes } from "./token-bytes.js";
import { Utf8Scratch } from "./utf8-scratch.js";
import { tokensById, vocabularyJson, type Vocabulary } from "./vocabulary.js";

export type ByteBpeOptions = {
  /** The tokens, byte-to-unicode (`Ġthe`). */
  vocab: Vocabulary;
  /** The merges, in order of priority. Without them, two tokens merge if their concatenated bytes are a token, lowest id first. */
  merges?: readonly MergePair[];
  /** Encodes a pre-token that is in the vocabulary as one token, without merges (`ignore_merges`). Default: false. */
  ignoreMerges?: boolean;
  /**
   * Handling of a byte without a token: `"refuse"` it, `"drop"` it, or its id.
   * Default: `"refuse"`.
   */
  unknown?: "refuse" | "drop" | number;
};

/**
 * Byte-level byte-pair encoding, the model of GPT-2, Llama 3, Qwen and most others: a pre-token is its UTF-8 bytes, and
 * adjacent symbols merge in the order of the list.
 *
 * Time: O(n log n) for a pre-token of n bytes, whatever it holds; short ones are cached.
 *
 * @throws {ArgumentError} If the vocabulary or a merge is damaged; the entry is named.
 * @see "Language Models are Unsupervised Multitask Learners" (2019), section 2.2
 */
export function byteBpe(options: ByteBpeOptions): Model {
  const check = checks("byteBpe");
  const names = ["vocab", "merges", "ignoreMerges", "unknown"] as const;
  const { ignoreMerges = false } = check.options(requireOptions(check, options), names);
  check.type({ ignoreMerges }, "boolean");
  return checkedByteBpe(options, check, "options");
}

/** {@link byteBpe} with the name of the caller in errors. `options` may have further fields, like the model of a file. */
export function checkedByteBpe(options: ByteBpeOptions, check: Checks, argument: string): Model {
  const { fn } = check;
  check.each(
    { [argument]: options },
    (value) => typeof value === "object" && value !== null,
    "a vocabulary and its merges",
  );
  const names = tokensById(options.vocab, fn);
  const tokens = TokenBytes.fromTokens(
    names.map((token) => (token === undefined ? undefined : unicodeToBytes(token))),
  );
  const merges = options.merges
    ? mergeList(options.merges, (token) => byteLevelTokenId(tokens, token), fn)
    : mergeByVocabulary(tokens);
  return byteBpeFromTokens(tokens, merges, { ...options, names });
}

/** Byte-pair encoding over tokens given as bytes, as in tiktoken's files. See {@link byteBpe}. */
export function byteBpeFromTokens(
  tokens: TokenBytes,
  merges: Merges,
  options: Pick<ByteBpeOptions, "ignoreMerges" | "unknown" | "merges"> & {
    names?: readonly (string | undefined)[];
  } = {},
): Model {
  const { ignoreMerges = false, unknown = "refuse", names } = options;
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => tokens.find(Uint8Array.of(byte), 0, 1));
  const cache = new PreTokenCache();
  const utf8 = new Utf8Scratch();
  let symbols = new Int32Array(256);

  /** Writes the ids of the bytes, before any merge; returns their number. */
  const initialSymbols = (bytes: Uint8Array, length: number): number => {
    if (symbols.length < length) symbols = new Int32Array(2 * length);
    let count = 0;
    for (let at = 0; at < length; at++) {
      const id = byteIds[bytes[at]!]!;
      if (id >= 0) symbols[count++] = id;
      else if (typeof unknown === "number") symbols[count++] = unknown;
      else if (unknown === "refuse") throw missingTokenError(bytes[at]!);
    }
    return count;
  };

  const bytes = (id: number): Uint8Array | undefined => {
    const bytes = id >= 0 && id < tokens.size ? tokens.bytes(id) : undefined;
    return bytes?.length ? bytes : undefined;
  };

  const token = (id: number): string | undefined => {
    if (names) return names[id];
    const tokenBytes = bytes(id);
    return tokenBytes && Array.from(tokenBytes, (byte) => bytesToUnicode[byte]).join("");
  };

  return {
    name: "byte-level BPE",
    isByteLevel: true,
    vocabSize: tokens.size,
    append(text, start, end, ids, widths) {
      const isCacheable = widths === undefined && end - start <= maxCachedLength;
      if (isCacheable && cache.append(text, start, end, ids)) return;
      const first = ids.length;
      const length = utf8.write(text, start, end);
      const wholeId = ignoreMerges ? tokens.find(utf8.bytes, 0, length) : -1;
      if (wholeId >= 0) {
        ids.push(wholeId);
        widths?.push(length);
      } else {
        const symbolCount = initialSymbols(utf8.bytes, length);
        const sizes = widths && new Int32Array(symbolCount).fill(1);
        const count = mergeSymbols(symbols, symbolCount, merges, sizes);
        for (let at = 0; at < count; at++) {
          ids.push(symbols[at]!);
          widths?.push(sizes![at]!);
        }
      }
      if (isCacheable) cache.insert(text, start, end, ids, first);
    },
    token,
    bytes,
    id(text) {
      const id = byteLevelTokenId(tokens, text) ?? names?.indexOf(text) ?? -1;
      return id < 0 ? undefined : id;
    },
    json: () => ({
      type: "BPE",
      unk_token: typeof unknown === "number" ? token(unknown) : null,
      ignore_merges: ignoreMerges,
      vocab: vocabularyJson(Array.from({ length: tokens.size }, (_, id) => token(id))),
      merges: options.merges,
    }),
    steps(piece) {
      const tokenNames = (ids: readonly number[]) => ids.map((id) => token(id) ?? "");
      const length = utf8.write(piece, 0, piece.length);
      const wholeId = ignoreMerges ? tokens.find(utf8.bytes, 0, length) : -1;
      const symbolCount = initialSymbols(utf8.bytes, length); // may reallocate `symbols`
      const start = [...symbols.subarray(0, symbolCount)];
      return [start, ...(wholeId >= 0 ? [[wholeId]] : mergeSteps(start, merges))].map(tokenNames);
    },
  };
}

function byteLevelTokenId(tokens: TokenBytes, token: string): number | undefined {
  const bytes = unicodeToBytes(token);
  const id = bytes ? tokens.find(bytes, 0, bytes.length) : -1;
  return id < 0 ? undefined : id;
}

/** The bytes of a byte-to-unicode token; undefined where it has another character, so that no bytes encode to it. */
export function unicodeToBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let at = 0; at < token.length; at++) {
    const byte = byteTable[token.charCodeAt(at)] ?? -1;
    if (byte < 0) return undefined;
    bytes[at] = byte;
  }
  return bytes;
}

const byteTable = /* @__PURE__ */ createByteTable();

function createByteTable(): Int16Array {
  const table = new Int16Array(0x144).fill(-1);
  for (const [character, byte] of unicodeToByte) table[character.charCodeAt(0)] = byte;
  return table;
}

function missingTokenError(byte: number): ArgumentError {
  return new ArgumentError({
    fn: "encode",
    argument: "text",
    received: `a text with the byte 0x${byte.toString(16).padStart(2, "0")}`,
    expected: "bytes that have a token",
    fix: "take a vocabulary that has all 256 bytes.",
  });
}
