/** Log-softmax of the scores of one row. A row of −∞ only is unchanged. */
export function logSoftmax(scores: ArrayLike<number>): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > largest) largest = scores[i]!;
  const result = Float64Array.from(scores);
  if (largest === -Infinity) return result;
  let total = 0;
  for (const score of result) total += Math.exp(score - largest);
  const shift = largest + Math.log(total);
  for (let i = 0; i < result.length; i++) result[i]! -= shift;
  return result;
}

/** Entropy in nats of log-probabilities. */
export function entropy(logProbs: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < logProbs.length; i++) {
    if (logProbs[i] !== -Infinity) sum -= logProbs[i]! * Math.exp(logProbs[i]!);
  }
  return sum;
}
