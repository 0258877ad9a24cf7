/**
 * Indices of the candidates that are not evicted, ascending: the first `first` positions of the sequence, the last `last`
 * ones, and those of the others with the highest mean score over the heads; `budget` in total. Of equal scores, the newer
 * token is retained.
 *
 * @param positions - Positions of the S candidates.
 * @param scores - `[Hkv, S]`, row-major.
 * @param length - Length of the sequence, new tokens included.
 */
export function keptTokens(
  positions: readonly number[],
  scores: readonly number[],
  length: number,
  { budget, first, last }: { readonly budget: number; readonly first: number; readonly last: number },
): number[] {
  const S = positions.length;
  const heads = scores.length / S;
  const mean = (i: number) => {
    let sum = 0;
    for (let h = 0; h < heads; h++) sum += scores[h * S + i]!;
    return sum / heads;
  };
  const isProtected = (p: number) => p < first || p >= length - last;
  const candidates = positions.map((position, i) => ({
    i,
    protect: isProtected(position),
    score: mean(i),
  }));
  const ranked = candidates.sort(
    (a, b) => Number(b.protect) - Number(a.protect) || b.score - a.score || b.i - a.i,
  );
  return ranked
    .slice(0, budget)
    .map(({ i }) => i)
    .sort((a, b) => a - b);
}
