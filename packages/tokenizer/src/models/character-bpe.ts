import { ArgumentError, describeValue, checks } from "@qkv/core";
import { requireOptions } from "../check-arguments.js";
import { mergeSteps, mergeSymbols, type Merges } from "./merge-symbols.js";
import { mergeByVocabulary, mergeList, type MergePair } from "./merge-list.js";
import type { Model } from "./model.js";
import { maxCachedLength, PreTokenCache } from "./pre-token-cache.js";
import { TokenBytes } from "./token-bytes.js";
import { Utf8Scratch } from "./utf8-scratch.js";
import { tokensById, vocabularyJson, type Vocabulary } from "./vocabulary.js";

export type CharacterBpeOptions = {
  /** The tokens as text (`▁the`). Byte tokens (`<0x0A>`) encode that byte where `byteFallback` is given. */
  vocab: Vocabulary;
  /** The merges in their order, as Hugging Face's files have them; or a score for each token, by id. */
  merges: readonly MergePair[] | { readonly scores: ArrayLike<number> };
  /** Encodes a character without a token as the tokens of its UTF-8 bytes. Default: false. */
  byteFallback?: boolean;
  /** The unknown token. Default: none; unknown characters are refused. */
  unknownId?: number | undefined;
  /** Fuses adjacent unknown characters to one unknown token. Default: false. */
  fuseUnknown?: boolean;
  /** Drops a character without any token instead of refusing it. Default: false. */
  dropUnknown?: boolean;
  /** Encodes a pre-token that is in the vocabulary as one token, without merges (`ignore_merges`). Default: false. */
  ignoreMerges?: boolean;
  /** Prefix of a token that continues a word. Default: "". */
  continuingSubwordPrefix?: string;
  /** Suffix of a token that ends a word. Default: "". */
  endOfWordSuffix?: string;
  /** Marker of a space, with which words begin. Default: `▁`. */
  spaceMarker?: string;
  /** Ids that no text encodes to, such as `<s>`. Default: none. */
  reserved?: ReadonlySet<number>;
};

/**
 * Byte-pair encoding over characters, the model of SentencePiece's BPE (Llama 2, Mistral, Phi-3): a pre-token is
 * its characters, and adjacent symbols merge, earliest in the list or highest score first, the leftmost of equals.
 *
 * Time: O(n log n) for a pre-token of n characters, whatever it holds. If no token crosses the start of a word
 * (`▁`), each word is encoded separately, with the same result, and short words are cached.
 *
 * @throws {ArgumentError} If the vocabulary or a merge is damaged; the entry is named.
 * @see "SentencePiece" (2018), arXiv:1808.06226; google/sentencepiece, src/bpe_model.cc
 */
export function characterBpe(options: CharacterBpeOptions): Model {
  const check = checks("characterBpe");
  check.options(requireOptions(check, options), [
    "vocab",
    "merges",
    "byteFallback",
    "unknownId",
    "fuseUnknown",
    "dropUnknown",
    "ignoreMerges",
    "continuingSubwordPrefix",
    "endOfWordSuffix",
    "spaceMarker",
    "reserved",
  ]);
  const { byteFallback = false, unknownId, fuseUnknown = false, dropUnknown = false, reserved } = options;
  const {
    ignoreMerges = false,
    continuingSubwordPrefix = "",
    endOfWordSuffix = "",
    spaceMarker = "▁",
  } = options;
  check.type({ byteFallback, fuseUnknown, dropUnknown, ignoreMerges }, "boolean");
  const { fn } = check;
  const names = tokensById(options.vocab, fn);
  check.each(
    { merges: options.merges },
    (value) => typeof value === "object" && value !== null,
    "a list of pairs, or `{ scores }`",
  );
  const encoder = new TextEncoder();
  const byteValues = names.map((token) =>
    byteFallback && token !== undefined ? byteFallbackValue(token) : undefined,
  );
  const tokens = TokenBytes.fromTokens(
    names.map((token, id) =>
      token === undefined || byteValues[id] !== undefined || reserved?.has(id)
        ? undefined
        : encoder.encode(token),
    ),
  );
  const byteIds = new Int32Array(256).fill(-1);
  byteValues.forEach((byte, id) => byte !== undefined && byteIds[byte] === -1 && (byteIds[byte] = id));
  const tokenId = (token: string) => {
    const bytes = encoder.encode(token);
    const id = tokens.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  };
  /** The tokens that text can be encoded to, with their scores. */
  const scored = (scores: ArrayLike<number>) =>
    names.flatMap((token, id) => (tokens.bytes(id).length > 0 ? [[token, scores[id]]] : []));
  const merges: Merges =
    "scores" in options.merges
      ? mergeByVocabulary(tokens, scoreRanks(options.merges.scores, names.length))
      : mergeList(options.merges, tokenId, fn, continuingSubwordPrefix);
  const hasNoAffixes = continuingSubwordPrefix === "" && endOfWordSuffix === "";
  const spaceMarkerUnit = spaceMarker.charCodeAt(0);
  const markerInside = new RegExp(`[^${spaceMarker}]${spaceMarker}`);
  const crossesWords = (token: string | undefined, id: number) =>
    token !== undefined && !reserved?.has(id) && markerInside.test(token);
  const encodesByWord =
    hasNoAffixes && !ignoreMerges && tokenId(spaceMarker) !== undefined && !names.some(crossesWords);

  const cache = new PreTokenCache();
  const utf8 = new Utf8Scratch();
  let symbols = new Int32Array(256);
  let sizes = new Int32Array(256);

  /** Writes the ids of the characters of a pre-token, before any merge; returns their number. */
  const initialSymbols = (text: string, start: number, end: number): number => {
    if (symbols.length < 3 * (end - start)) {
      symbols = new Int32Array(4 * (end - start));
      sizes = new Int32Array(4 * (end - start));
    }
    let count = 0;
    const add = (id: number, size: number) => {
      symbols[count] = id;
      sizes[count++] = size;
    };
    let lastUnknown = -2; // index of the previous unknown symbol, with which the next may be fused
    for (let at = start; at < end;) {
      const next = at + ((text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1);
      const length = utf8.write(text, at, next);
      const id = hasNoAffixes
        ? tokens.find(utf8.bytes, 0, length)
        : (tokenId(
            (at > start ? continuingSubwordPrefix : "") +
              text.slice(at, next) +
              (next === end ? endOfWordSuffix : ""),
          ) ?? -1);
      if (id >= 0) add(id, length);
      else if (byteFallback && haveAllIds(utf8.bytes, length, byteIds)) {
        for (let i = 0; i < length; i++) add(byteIds[utf8.bytes[i]!]!, 1);
      } else if (unknownId === undefined) {
        if (!dropUnknown) throw missingTokenError(text.slice(at, next));
      } else if (fuseUnknown && lastUnknown === count - 1) sizes[lastUnknown]! += length;
      else {
        lastUnknown = count;
        add(unknownId, length);
      }
      at = next;
    }
    return count;
  };

  const appendPreToken: Model["append"] = (text, start, end, ids, widths) => {
    const isCacheable = widths === undefined && end - start <= maxCachedLength;
    if (isCacheable && cache.append(text, start, end, ids)) return;
    const first = ids.length;
    const wholeId = ignoreMerges ? tokenId(text.slice(start, end)) : undefined;
    if (wholeId !== undefined) {
      ids.push(wholeId);
      widths?.push(utf8.write(text, start, end));
    } else {
      const symbolCount = initialSymbols(text, start, end); // may reallocate `symbols` and `sizes`
      const count = mergeSymbols(symbols, symbolCount, merges, widths && sizes);
      for (let at = 0; at < count; at++) {
        ids.push(symbols[at]!);
        widths?.push(sizes[at]!);
      }
    }
    if (isCacheable) cache.insert(text, start, end, ids, first);
  };

  return {
    name: "BPE over characters",
    vocabSize: names.length,
    append(text, start, end, ids, widths) {
      if (!encodesByWord) return appendPreToken(text, start, end, ids, widths);
      for (let from = start, at = start; from < end; from = at) {
        while (at < end && text.charCodeAt(at) === spaceMarkerUnit) at += 1;
        while (at < end && text.charCodeAt(at) !== spaceMarkerUnit) at += 1;
        appendPreToken(text, from, at, ids, widths);
      }
    },
    token: (id) => names[id],
    id: (token) => tokenId(token) ?? indexOrUndefined(names.indexOf(token)),
    json: () => ({
      type: "BPE",
      dropout: null,
      unk_token: unknownId === undefined ? null : names[unknownId],
      continuing_subword_prefix: continuingSubwordPrefix || null,
      end_of_word_suffix: endOfWordSuffix || null,
      fuse_unk: fuseUnknown,
      byte_fallback: byteFallback,
      ignore_merges: ignoreMerges,
      vocab: vocabularyJson(names),
      ...("scores" in options.merges
        ? { scored: scored(options.merges.scores) }
        : { merges: options.merges }),
    }),
    steps(piece) {
      const tokenNames = (ids: readonly number[]) => ids.map((id) => names[id] ?? "");
      const symbolCount = initialSymbols(piece, 0, piece.length);
      const start = [...symbols.subarray(0, symbolCount)];
      return [tokenNames(start), ...Array.from(mergeSteps(start, merges), tokenNames)];
    },
  };
}

/** The value of a byte token (`<0x41>`), or undefined for other tokens. */
export function byteFallbackValue(token: string): number | undefined {
  const hex = token.length === 6 ? /^<0x([0-9A-F]{2})>$/.exec(token)?.[1] : undefined;
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

const indexOrUndefined = (index: number) => (index < 0 ? undefined : index);

function haveAllIds(bytes: Uint8Array, length: number, ids: Int32Array): boolean {
  for (let at = 0; at < length; at++) if (ids[bytes[at]!]! < 0) return false;
  return true;
}

/** Ranks by score, the highest first; equal scores have equal ranks. */
function scoreRanks(scores: ArrayLike<number>, size: number): Int32Array {
  const ids = Array.from({ length: size }, (_, id) => id).sort((a, b) => scores[b]! - scores[a]!);
  const ranks = new Int32Array(size);
  let rank = 0;
  ids.forEach((id, position) => {
    if (position > 0 && scores[id] !== scores[ids[position - 1]!]) rank = position;
    ranks[id] = rank;
  });
  return ranks;
}

function missingTokenError(character: string): ArgumentError {
  return new ArgumentError({
    fn: "encode",
    argument: "text",
    received: character,
    expected: "text of characters that the vocabulary has",
    fix: `leave ${describeValue(character)} out, or take a vocabulary with a token for each byte.`,
  });
}
