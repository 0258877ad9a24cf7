import { checks } from "@qkv/core";

/**
 * Merges from scores, highest first: each token is the merge of any two tokens that it can be cut into. Of the cuts of
 * one token those with the longer left side come first, as Hugging Face's conversions of SentencePiece's models have it.
 *
 * If two cuts of a token overlap in a text (`aa|a` and `a|aa` in a run of `a`), scores merge the leftmost pair, and a
 * list merges the pair that it names first.
 *
 * @param scored - Tokens that text encodes to; a higher score merges earlier.
 * @throws {ArgumentError} If two tokens that are merges have equal scores: their order then depends on the text.
 */
export function mergesFromScores(
  scored: readonly (readonly [token: string, score: number])[],
): [left: string, right: string][] {
  const known = new Set(scored.map(([token]) => token));
  const tokenByScore = new Map<number, string>();
  const found = scored.flatMap(([token, score]) => {
    const cuts = binarySplits(token).filter((sides) => sides.every((side) => known.has(side)));
    if (cuts.length === 0) return [];
    const other = tokenByScore.get(score);
    if (other !== undefined) refuseEqualScores(token, other, score);
    tokenByScore.set(score, token);
    return cuts.map((sides) => ({ score, sides }));
  });
  return found.sort((a, b) => b.score - a.score).map(({ sides }) => sides);
}

/** Every cut of a token into two, the longest left side first. */
function binarySplits(token: string): [string, string][] {
  const characters = Array.from(token);
  return characters
    .slice(1)
    .map((_, i): [string, string] => [characters.slice(0, i + 1).join(""), characters.slice(i + 1).join("")])
    .reverse();
}

function refuseEqualScores(token: string, other: string, score: number): never {
  return checks("tokenizerToJson").refuse({
    argument: "stages.model.scores",
    received: `${score} for ${JSON.stringify(other)} and for ${JSON.stringify(token)}`,
    expected: "scores that differ: tokenizer.json holds merges in their order",
    fix: "save the file that the tokenizer was loaded from.",
  });
}
