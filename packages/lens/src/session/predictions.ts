/** A token with its probability. */
export type Prediction = { readonly id: number; readonly text: string; readonly probability: number };

/** The softmax of logits. */
export function probabilitiesOf(logits: ArrayLike<number>): Float64Array {
  const raised = new Float64Array(logits);
  const most = raised.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (let i = 0; i < raised.length; i++) total += raised[i] = Math.exp(raised[i]! - most);
  for (let i = 0; i < raised.length; i++) raised[i]! /= total;
  return raised;
}

/** The likeliest tokens, in order. */
export function predictions(
  logits: ArrayLike<number>,
  count: number,
  textOf: (id: number) => string,
  chances = probabilitiesOf(logits),
): Prediction[] {
  return largest(chances, count).map((id) => ({ id, text: textOf(id), probability: chances[id]! }));
}

/** The rank of a token by its logit: 1 is the likeliest. */
export function rankOf(logits: ArrayLike<number>, id: number): number {
  let rank = 1;
  for (let i = 0; i < logits.length; i++) if (logits[i]! > logits[id]!) rank += 1;
  return rank;
}

/** Indices of the numbers of the largest magnitude, in order; of equal ones the first. */
export function largest(numbers: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const size = Math.abs(numbers[i]!);
    if (best.length === count && size <= Math.abs(numbers[best[count - 1]!]!)) continue;
    let at = best.length;
    while (at > 0 && Math.abs(numbers[best[at - 1]!]!) < size) at -= 1;
    best.splice(at, 0, i);
    best.length = Math.min(best.length, count);
  }
  return best;
}
