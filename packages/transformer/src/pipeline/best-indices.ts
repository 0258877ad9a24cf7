/** Places of the largest numbers, the largest first; of equal ones the first. */
export const bestIndices = (numbers: ArrayLike<number>, count: number): number[] =>
  Array.from(numbers, (_, i) => i)
    .sort((one, other) => numbers[other]! - numbers[one]! || one - other)
    .slice(0, count);
