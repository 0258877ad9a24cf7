/** A token with its probability. */
export type Prediction = { readonly id: number; readonly text: string; readonly probability: number };

/** The softmax of logits. */
export function softmaxProbabilities(logits: ArrayLike<number>): Float64Array {
  const exponentials = new Float64Array(logits);
  const max = exponentials.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (let i = 0; i < exponentials.length; i++) total += exponentials[i] = Math.exp(exponentials[i]! - max);
  for (let i = 0; i < exponentials.length; i++) exponentials[i]! /= total;
  return exponentials;
}

/** The most probable tokens, in order. */
export function predictions(
  logits: ArrayLike<number>,
  count: number,
  textOf: (id: number) => string,
  probabilities = softmaxProbabilities(logits),
): Prediction[] {
  return largestIndices(probabilities, count).map((id) => ({
    id,
    text: textOf(id),
    probability: probabilities[id]!,
  }));
}

/** The rank of a token by its logit, 1 for the highest. */
export function tokenRank(logits: ArrayLike<number>, id: number): number {
  let rank = 1;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > logits[id]!) rank += 1;
  return rank;
}

/** Indices of the `count` numbers with the largest magnitude, in order; the lower index first if equal. */
export function largestIndices(numbers: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const magnitude = Math.abs(numbers[i]!);
    if (best.length === count && magnitude <= Math.abs(numbers[best[count - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && Math.abs(numbers[best[at - 1]!]!) < magnitude) at -= 1;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, count);
  }
  return best;
}
