/** Indices of the `count` largest numbers, in descending order; ties in ascending order of index. */
export function bestIndices(numbers: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  let least = -Infinity;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (best.length === count && number <= least) continue;
    let [low, high] = [0, best.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[best[middle]!]! >= number) low = middle + 1;
      else high = middle;
    }
    best.splice(low, 0, i);
    if (best.length > count) best.pop();
    least = numbers[best.at(-1)!]!;
  }
  return best;
}
