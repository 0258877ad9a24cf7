import { ArgumentError, describeValue, checks } from "@qkv/core";
import { requireOptions } from "../check-arguments.js";
import { mergeSteps, mergeSymbols, type Merges } from "./merge-symbols.js";
import { mergeByVocabulary, mergeList, type MergePair } from "./merge-list.js";
import type { Model } from "./model.js";
import { longestRemembered, PieceCache } from "./piece-cache.js";
import { TokenBytes } from "./token-bytes.js";
import { Utf8Scratch } from "./utf8-scratch.js";
import { tokensById, vocabularyJson, type Vocabulary } from "./vocabulary.js";

export type CharacterBpeOptions = {
  /** The tokens as text (`▁the`). Those that spell a byte (`<0x0A>`) stand for it where `byteFallback` is given. */
  vocab: Vocabulary;
  /** The merges in their order, as Hugging Face's files have them; or a score for each token, by id. */
  merges: readonly MergePair[] | { readonly scores: ArrayLike<number> };
  /** Whether a character without a token becomes the tokens of its UTF-8 bytes. Default: false. */
  byteFallback?: boolean;
  /** The token for what has no other. Default: none, and such a character is refused. */
  unknownId?: number | undefined;
  /** Whether neighbours without a token are one unknown. Default: false. */
  fuseUnknown?: boolean;
  /** Whether a character without any token is left out rather than refused. Default: false. */
  dropUnknown?: boolean;
  /** Whether a piece that is a token stays whole (`ignore_merges`). Default: false. */
  wholePieces?: boolean;
  /** What is written before a token that goes on with a word. Default: "". */
  continuingPrefix?: string;
  /** What is written behind a token that ends a word. Default: "". */
  endSuffix?: string;
  /** What words begin with. Default: `▁`. */
  wordStart?: string;
  /** Ids that no text becomes, such as `<s>`. Default: none. */
  reserved?: ReadonlySet<number>;
};

/**
 * Byte-pair encoding over characters, the model of SentencePiece's BPE (Llama 2, Mistral, Phi-3): a piece of text is
 * its characters, and neighbours merge, earliest in the list or highest score first, the leftmost of equals.
 *
 * Time: O(n log n) for a piece of n characters, whatever it holds. Where no token reaches over the start of a word
 * (`▁`), words are encoded each by itself, with the same result, and short ones are remembered.
 *
 * @throws {ArgumentError} If the vocabulary or a merge is damaged; the place is named.
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
    "wholePieces",
    "continuingPrefix",
    "endSuffix",
    "wordStart",
    "reserved",
  ]);
  const { byteFallback = false, unknownId, fuseUnknown = false, dropUnknown = false, reserved } = options;
  const { wholePieces = false, continuingPrefix = "", endSuffix = "", wordStart = "▁" } = options;
  const { fn } = check;
  const names = tokensById(options.vocab, fn);
  check.each(
    { merges: options.merges },
    (value) => typeof value === "object" && value !== null,
    "a list of pairs, or `{ scores }`",
  );
  const encoder = new TextEncoder();
  const bytesOf = names.map((token) =>
    byteFallback && token !== undefined ? spelledByte(token) : undefined,
  );
  const tokens = TokenBytes.of(
    names.map((token, id) =>
      token === undefined || bytesOf[id] !== undefined || reserved?.has(id)
        ? undefined
        : encoder.encode(token),
    ),
  );
  const byteIds = new Int32Array(256).fill(-1);
  bytesOf.forEach((byte, id) => byte !== undefined && byteIds[byte] === -1 && (byteIds[byte] = id));
  const idOf = (token: string) => {
    const bytes = encoder.encode(token);
    const id = tokens.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  };
  /** Those that come of text, each with its score. */
  const scored = (scores: ArrayLike<number>) =>
    names.flatMap((token, id) => (tokens.bytes(id).length > 0 ? [[token, scores[id]]] : []));
  const merges: Merges =
    "scores" in options.merges
      ? mergeByVocabulary(tokens, ranksOf(options.merges.scores, names.length))
      : mergeList(options.merges, idOf, fn, continuingPrefix);
  const plain = continuingPrefix === "" && endSuffix === "";
  const wordUnit = wordStart.charCodeAt(0);
  const inside = new RegExp(`[^${wordStart}]${wordStart}`);
  const acrossWords = (token: string | undefined, id: number) =>
    token !== undefined && !reserved?.has(id) && inside.test(token);
  const byWords = plain && !wholePieces && idOf(wordStart) !== undefined && !names.some(acrossWords);

  const cache = new PieceCache();
  const utf8 = new Utf8Scratch();
  let symbols = new Int32Array(256);
  let sizes = new Int32Array(256);

  /** The ids of the characters of a piece, before any merge; how many there are. */
  const spell = (text: string, start: number, end: number): number => {
    if (symbols.length < 3 * (end - start)) {
      symbols = new Int32Array(4 * (end - start));
      sizes = new Int32Array(4 * (end - start));
    }
    let count = 0;
    const add = (id: number, size: number) => {
      symbols[count] = id;
      sizes[count++] = size;
    };
    let unknown = -2; // the place of the unknown before, where it can take another one in
    for (let at = start; at < end;) {
      const next = at + ((text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1);
      const length = utf8.write(text, at, next);
      const id = plain
        ? tokens.find(utf8.bytes, 0, length)
        : (idOf(
            (at > start ? continuingPrefix : "") + text.slice(at, next) + (next === end ? endSuffix : ""),
          ) ?? -1);
      if (id >= 0) add(id, length);
      else if (byteFallback && every(utf8.bytes, length, byteIds)) {
        for (let i = 0; i < length; i++) add(byteIds[utf8.bytes[i]!]!, 1);
      } else if (unknownId === undefined) {
        if (!dropUnknown) throw noToken(text.slice(at, next));
      } else if (fuseUnknown && unknown === count - 1) sizes[unknown]! += length;
      else {
        unknown = count;
        add(unknownId, length);
      }
      at = next;
    }
    return count;
  };

  const appendPiece: Model["append"] = (text, start, end, ids, widths) => {
    const remembered = widths === undefined && end - start <= longestRemembered;
    if (remembered && cache.append(text, start, end, ids)) return;
    const first = ids.length;
    const whole = wholePieces ? idOf(text.slice(start, end)) : undefined;
    if (whole !== undefined) {
      ids.push(whole);
      widths?.push(utf8.write(text, start, end));
    } else {
      const spelled = spell(text, start, end); // which may make room for more symbols
      const count = mergeSymbols(symbols, spelled, merges, widths && sizes);
      for (let at = 0; at < count; at++) {
        ids.push(symbols[at]!);
        widths?.push(sizes[at]!);
      }
    }
    if (remembered) cache.remember(text, start, end, ids, first);
  };

  return {
    name: "BPE over characters",
    vocabSize: names.length,
    append(text, start, end, ids, widths) {
      if (!byWords) return appendPiece(text, start, end, ids, widths);
      for (let from = start, at = start; from < end; from = at) {
        while (at < end && text.charCodeAt(at) === wordUnit) at += 1;
        while (at < end && text.charCodeAt(at) !== wordUnit) at += 1;
        appendPiece(text, from, at, ids, widths);
      }
    },
    token: (id) => names[id],
    id: (token) => idOf(token) ?? found(names.indexOf(token)),
    json: () => ({
      type: "BPE",
      dropout: null,
      unk_token: unknownId === undefined ? null : names[unknownId],
      continuing_subword_prefix: continuingPrefix || null,
      end_of_word_suffix: endSuffix || null,
      fuse_unk: fuseUnknown,
      byte_fallback: byteFallback,
      ignore_merges: wholePieces,
      vocab: vocabularyJson(names),
      ...("scores" in options.merges
        ? { scored: scored(options.merges.scores) }
        : { merges: options.merges }),
    }),
    steps(piece) {
      const named = (ids: readonly number[]) => ids.map((id) => names[id] ?? "");
      const spelled = spell(piece, 0, piece.length);
      const start = [...symbols.subarray(0, spelled)];
      return [named(start), ...Array.from(mergeSteps(start, merges), named)];
    },
  };
}

/** The byte that `<0x41>` spells, or undefined where a token spells none. */
export function spelledByte(token: string): number | undefined {
  const hex = token.length === 6 ? /^<0x([0-9A-F]{2})>$/.exec(token)?.[1] : undefined;
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

const found = (index: number) => (index < 0 ? undefined : index);

function every(bytes: Uint8Array, length: number, ids: Int32Array): boolean {
  for (let at = 0; at < length; at++) if (ids[bytes[at]!]! < 0) return false;
  return true;
}

/** Places in the order of scores, the highest first; equal scores have equal places. */
function ranksOf(scores: ArrayLike<number>, size: number): Int32Array {
  const ids = Array.from({ length: size }, (_, id) => id).sort((a, b) => scores[b]! - scores[a]!);
  const ranks = new Int32Array(size);
  let rank = 0;
  ids.forEach((id, place) => {
    if (place > 0 && scores[id] !== scores[ids[place - 1]!]) rank = place;
    ranks[id] = rank;
  });
  return ranks;
}

function noToken(character: string): ArgumentError {
  return new ArgumentError({
    fn: "encode",
    argument: "text",
    received: character,
    expected: "text of characters that the vocabulary has",
    fix: `leave ${describeValue(character)} out, or take a vocabulary with a token for each byte.`,
  });
}
