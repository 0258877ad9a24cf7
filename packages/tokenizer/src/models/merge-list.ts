import { checks, type Checks } from "@qkv/core";
import type { Merges } from "./merge-symbols.js";
import { PairTable } from "./pair-table.js";
import type { TokenBytes } from "./token-bytes.js";

/** One merge as files write it: `"th e"`, or a pair if a side contains a space. */
export type MergePair = string | readonly [left: string, right: string];

/**
 * The merges of a list, in its order: the first merges first.
 *
 * @param pairs - Each pair merges two tokens to a third. If a pair occurs twice, the first counts.
 * @param tokenId - Returns the id of a token, as written in the list.
 * @throws {ArgumentError} If an entry is not a pair, or a side or the merged token is missing from the vocabulary. The merged token
 *   is always longer than its sides, so that merging terminates.
 */
export function mergeList(
  pairs: readonly MergePair[],
  tokenId: (token: string) => number | undefined,
  fn: string,
  continuing = "",
): Merges {
  const check: Checks = checks(fn);
  check.each({ merges: pairs }, Array.isArray, 'a list of pairs, such as `["a b", "ab c"]`');
  const table = new PairTable(pairs.length);
  const results = new Int32Array(pairs.length);
  pairs.forEach((pair, rank) => {
    const [left, right] = splitPair(check, pair, rank);
    // A side that continues a word has a prefix, which is removed inside the merged token.
    const tail = continuing !== "" && right.startsWith(continuing) ? right.slice(continuing.length) : right;
    const ids = [left, right, left + tail].map((token) => {
      const id = token === "" ? undefined : tokenId(token);
      if (id !== undefined) return id;
      return check.refuse({
        argument: `merges[${rank}]`,
        received: token,
        expected: "a token of the vocabulary",
        fix: "give this vocabulary's own merges.",
      });
    }) as [number, number, number];
    if (ids[2] === ids[0] || ids[2] === ids[1]) {
      check.refuse({
        argument: `merges[${rank}]`,
        received: pair,
        expected: "a merge whose token is not one of its sides",
        fix: "remove this endless merge.",
      });
    }
    table.add(ids[0], ids[1], rank);
    results[rank] = ids[2];
  });
  return {
    rank: (left, right) => table.find(left, right),
    merge: (left, right) => results[table.find(left, right)]!,
  };
}

/**
 * The merges of a vocabulary without a list: two tokens merge if their concatenated bytes are a token.
 *
 * @param ranks - Merge rank of each token, by id, 0 first; -1 for a token that is no merge. Default: the ids, as in tiktoken's files.
 */
export function mergeByVocabulary(tokens: TokenBytes, ranks?: Int32Array): Merges {
  return {
    rank(left, right) {
      const id = tokens.findConcatenation(left, right);
      return id < 0 || ranks === undefined ? id : ranks[id]!;
    },
    merge: (left, right) => tokens.findConcatenation(left, right),
  };
}

function splitPair(check: Checks, pair: MergePair, rank: number): readonly [string, string] {
  const sides = typeof pair === "string" ? pair.split(" ") : pair;
  if (Array.isArray(sides) && sides.length === 2 && sides.every((side) => typeof side === "string")) {
    return sides as [string, string];
  }
  return check.refuse({
    argument: `merges[${rank}]`,
    received: pair,
    expected: "two tokens with one space between them",
    fix: 'write a merge as "th e", or as ["th", "e"].',
  });
}
