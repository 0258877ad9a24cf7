import { checks } from "@qkv/core";

/**
 * Merges from scores, highest first: each token is the merge of any two tokens that it can be split into. Of the splits of
 * one token, those with the longer left side come first, as in Hugging Face's conversions of SentencePiece models.
 *
 * If two splits of a token overlap in a text (`aa|a` and `a|aa` in a run of `a`), scores merge the leftmost pair, and a
 * list merges the pair that it names first.
 *
 * @param scored - Tokens that text encodes to; a higher score merges earlier.
 * @throws {ArgumentError} If two tokens that are merges have equal scores: their order then depends on the text.
 */
export function mergesFromScores(
  scored: readonly (readonly [token: string, score: number])[],
): [left: string, right: string][] {
  const tokens = new Set(scored.map(([token]) => token));
  const tokenByScore = new Map<number, string>();
  const merges = scored.flatMap(([token, score]) => {
    const splits = binarySplits(token).filter((sides) => sides.every((side) => tokens.has(side)));
    if (splits.length === 0) return [];
    const other = tokenByScore.get(score);
    if (other !== undefined) refuseEqualScores(token, other, score);
    tokenByScore.set(score, token);
    return splits.map((sides) => ({ score, sides }));
  });
  return merges.sort((a, b) => b.score - a.score).map(({ sides }) => sides);
}

/** All splits of a token into two, the longest left side first. */
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
