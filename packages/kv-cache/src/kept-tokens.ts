/**
 * Indices of the candidates that stay, in order: the first `first` positions, the last `last` ones, and of the others those
 * with the highest mean score over the heads, `budget` in all. Of equal scores the newer token stays.
 *
 * @param scores - [Hkv, S], row-major.
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
  const all = positions.map((position, i) => ({ i, protect: isProtected(position), score: mean(i) }));
  const ranked = all.sort((a, b) => Number(b.protect) - Number(a.protect) || b.score - a.score || b.i - a.i);
  return ranked
    .slice(0, budget)
    .map(({ i }) => i)
    .sort((a, b) => a - b);
}
