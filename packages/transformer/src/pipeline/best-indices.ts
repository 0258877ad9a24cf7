/** Indices of the `count` largest values, in descending order; ties in ascending order of index. */
export function bestIndices(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  let least = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (best.length === count && value <= least) continue;
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[best[middle]!]! >= value) low = middle + 1;
      else high = middle;
    }
    best.splice(low, 0, i);
    if (best.length > count) best.pop();
    least = values[best.at(-1)!]!;
  }
  return best;
}
