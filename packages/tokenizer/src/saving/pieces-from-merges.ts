import type { MergePair } from "../models/merge-list.js";
import type { Piece } from "../models/model.js";

/**
 * SentencePiece pieces whose scores reproduce a list of merges. Lists that were made from scores can be converted back:
 * in them two tokens merge whenever their concatenation is a token, highest score first.
 *
 * @param types - Type of each token: 1 for a token that merges produce.
 * @returns Undefined where no scores do: two tokens concatenate to a third and are not in the list, or the pairs of
 *   one token are not consecutive in it.
 */
export function piecesFromMerges(
  tokens: readonly string[],
  types: readonly number[],
  merges: readonly MergePair[],
): Piece[] | undefined {
  const ids = new Map(tokens.flatMap((token, id) => (types[id] === 1 ? [[token, id] as const] : [])));
  const ranks = new Map<string, { first: number; last: number; pairs: number }>();
  for (const [rank, pair] of merges.entries()) {
    const merged = (typeof pair === "string" ? pair.split(" ") : pair).join("");
    const earlier = ranks.get(merged) ?? { first: rank, last: rank, pairs: 0 };
    ranks.set(merged, { ...earlier, last: rank, pairs: earlier.pairs + 1 });
  }
  for (const token of ids.keys()) {
    const characters = Array.from(token);
    let pairs = 0;
    for (let cut = 1; cut < characters.length; cut++) {
      if (ids.has(characters.slice(0, cut).join("")) && ids.has(characters.slice(cut).join(""))) pairs += 1;
    }
    const listed = ranks.get(token);
    if (pairs !== (listed?.pairs ?? 0)) return undefined;
    if (listed && listed.last - listed.first + 1 !== listed.pairs) return undefined;
  }
  return tokens.map((text, id) => ({ text, score: 0 - (ranks.get(text)?.first ?? 0), type: types[id]! }));
}
