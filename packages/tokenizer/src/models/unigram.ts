import { ArgumentError, checks } from "@qkv/core";
import { requireOptions, checkList } from "../check-arguments.js";
import { byteFallbackValue } from "./character-bpe.js";
import type { Model } from "./model.js";
import { PairTable } from "./pair-table.js";
import { Utf8Scratch } from "./utf8-scratch.js";

export type UnigramOptions = {
  /** Tokens and their log-probabilities, by id. */
  pieces: readonly (readonly [token: string, score: number])[];
  /** The unknown token. Adjacent unknown characters are one token. Default: none; unknown characters are refused. */
  unknownId?: number | undefined;
  /** Encodes an unknown as the tokens of its bytes (`<0x41>`), if all exist. Default: false. */
  byteFallback?: boolean;
  /** Ids that no text encodes to, such as `<s>`. Default: none. */
  reserved?: ReadonlySet<number>;
  /** User-defined symbols of SentencePiece: ids that are preferred to all others wherever their text occurs. Default: none. */
  userDefined?: ReadonlySet<number>;
  /** Rounds sums to float32, as SentencePiece; Hugging Face does not. Default: false. */
  float32?: boolean;
};

/**
 * Unigram, the other model of SentencePiece (T5, ALBERT, XLM-R): of all segmentations of a pre-token the one with
 * the highest sum of scores, found by the Viterbi algorithm. Of equal ones the first found, shortest tokens first.
 *
 * Time: O(n · m) for a pre-token of n bytes and a longest token of m.
 *
 * @throws {ArgumentError} If a score is not a number.
 * @see "Subword Regularization" (2018), arXiv:1804.10959; google/sentencepiece, src/unigram_model.cc
 */
export function unigram(options: UnigramOptions): Model {
  const check = checks("unigram");
  check.options(requireOptions(check, options), [
    "pieces",
    "unknownId",
    "byteFallback",
    "reserved",
    "userDefined",
    "float32",
  ]);
  const { pieces, unknownId, byteFallback = false, reserved, userDefined, float32 = false } = options;
  check.type({ byteFallback, float32 }, "boolean");
  checkList(check, { pieces }, Array.isArray, "a list of tokens with their scores");
  const round = float32 ? Math.fround : (value: number) => value;
  const encoder = new TextEncoder();
  const byteIds = new Int32Array(256).fill(-1);
  const usable = pieces.map(([token, score], id) => {
    if (typeof token !== "string" || typeof score !== "number" || Number.isNaN(score)) {
      throw new ArgumentError({
        fn: "unigram",
        argument: `pieces[${id}]`,
        received: pieces[id],
        expected: "a token and its score, a number",
        fix: "give each token the logarithm of its probability.",
      });
    }
    // A UTF-16 unit has at most three bytes, so most tokens need not be encoded to bound their length.
    if (token.length > maxTokenBytes / 3 && encoder.encode(token).length > maxTokenBytes) {
      check.refuse({
        argument: `pieces[${id}]`,
        received: `a token of ${token.length} characters`,
        expected: `tokens of at most ${maxTokenBytes} bytes, since each position of a text is compared with them`,
        fix: "make it an added token.",
      });
    }
    const byte = byteFallback ? byteFallbackValue(token) : undefined;
    if (byte !== undefined && byteIds[byte] === -1) byteIds[byte] = id;
    return byte === undefined && id !== unknownId && !reserved?.has(id) && token !== "";
  });
  const normal = pieces.flatMap(([, score], id) => (usable[id] && !userDefined?.has(id) ? [score] : []));
  const [lowest, highest] = normal.reduce(
    ([low, high], score) => [Math.min(low, score), Math.max(high, score)],
    [normal[0] ?? 0, normal[0] ?? 0],
  );
  const unknownScore = round(lowest - 10); // SentencePiece's penalty

  const trie = createTrie(pieces, usable, encoder);
  const scores = Float64Array.from(pieces, ([token, score], id) =>
    userDefined?.has(id) ? round(round(encoder.encode(token).length * highest) - 0.1) : round(score),
  );
  const utf8 = new Utf8Scratch();
  let best = new Float64Array(256); // best score up to this position
  let lastStart = new Int32Array(256); // start of the last token before this position, or -1
  let lastId = new Int32Array(256); // its id, or -1 for an unknown token

  const viterbi = (length: number): void => {
    if (best.length <= length) {
      [best, lastStart, lastId] = [
        new Float64Array(2 * length),
        new Int32Array(2 * length),
        new Int32Array(2 * length),
      ];
    }
    const { bytes } = utf8;
    lastStart.fill(-1, 0, length + 1);
    best[0] = 0;
    const addCandidate = (start: number, end: number, id: number, score: number) => {
      const sum = round(best[start]! + score);
      if (lastStart[end] !== -1 && !(sum > best[end]!)) return;
      best[end] = sum;
      lastStart[end] = start;
      lastId[end] = id;
    };
    for (let start = 0; start < length;) {
      let next = start + 1;
      while (next < length && (bytes[next]! & 0xc0) === 0x80) next += 1;
      let hasToken = false;
      for (let at = start, node = 0; at < length;) {
        node = trie.children.find(node, bytes[at]!);
        if (node < 0) break;
        at += 1;
        const id = trie.ids[node]!;
        if (id < 0) continue;
        addCandidate(start, at, id, scores[id]!);
        if (at === next) hasToken = true;
      }
      if (!hasToken) addCandidate(start, next, -1, unknownScore);
      start = next;
    }
  };

  return {
    name: "Unigram",
    vocabSize: pieces.length,
    unknownSurfaceId: unknownId,
    append(text, start, end, ids, widths) {
      const length = utf8.write(text, start, end);
      if (length === 0) return;
      viterbi(length);
      const ends: number[] = [];
      for (let at = length; at > 0; at = lastStart[at]!) ends.push(at);
      ends.reverse();
      for (let i = 0; i < ends.length; i++) {
        let [begin, stop] = [lastStart[ends[i]!]!, ends[i]!];
        const id = lastId[stop]!;
        if (id >= 0) {
          ids.push(id);
          widths?.push(stop - begin);
          continue;
        }
        while (i + 1 < ends.length && lastId[ends[i + 1]!] === -1) stop = ends[++i]!; // adjacent unknowns are one
        const isByteFallback =
          byteFallback && utf8.bytes.subarray(begin, stop).every((byte) => byteIds[byte]! >= 0);
        if (isByteFallback) {
          for (; begin < stop; begin++) {
            ids.push(byteIds[utf8.bytes[begin]!]!);
            widths?.push(1);
          }
        } else {
          if (unknownId === undefined)
            throw missingTokenError(new TextDecoder().decode(utf8.bytes.subarray(begin, stop)));
          ids.push(unknownId);
          widths?.push(stop - begin);
        }
      }
    },
    token: (id) => pieces[id]?.[0],
    id(token) {
      const id = pieces.findIndex(([each]) => each === token);
      return id < 0 ? undefined : id;
    },
    json: () => ({ type: "Unigram", unk_id: unknownId ?? null, vocab: pieces, byte_fallback: byteFallback }),
  };
}

/** Tokens by their bytes: a child for each node and byte, and the id of the token that ends at a node, or -1. */
function createTrie(pieces: UnigramOptions["pieces"], usable: readonly boolean[], encoder: TextEncoder) {
  const tokens = pieces.map(([token], id) => (usable[id] ? encoder.encode(token) : new Uint8Array()));
  const size = 1 + tokens.reduce((sum, token) => sum + token.length, 0);
  const children = new PairTable(size);
  const ids = new Int32Array(size).fill(-1);
  let nodes = 1;
  tokens.forEach((token, id) => {
    let node = 0;
    for (const byte of token) {
      if (children.add(node, byte, nodes)) node = nodes++;
      else node = children.find(node, byte);
    }
    if (token.length > 0 && ids[node] === -1) ids[node] = id;
  });
  return { children, ids };
}

function missingTokenError(text: string): ArgumentError {
  return new ArgumentError({
    fn: "encode",
    argument: "text",
    received: text,
    expected: "text of characters that the vocabulary has",
    fix: "give `unknownId`, the token of other characters.",
  });
}

/** SentencePiece's longest token has 16 characters by default. */
const maxTokenBytes = 1024;
