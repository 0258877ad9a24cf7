/** The length of each label. */
export type Sizes = ReadonlyMap<string, number>;

/** Two places in the list of operands. Both are taken out, and their product is put at the end. */
export type Pair = readonly [number, number];

/** Up to this many operands, every order is tried; of more, the cheapest pair goes first. */
const tryAllUpTo = 5;

/**
 * In which order to multiply operands two at a time, so that the multiplications are as few as possible.
 *
 * @param operands - The labels of each.
 * @param result - The labels that remain at the end.
 */
export function cheapestPairs(
  operands: readonly (readonly string[])[],
  result: readonly string[],
  sizes: Sizes,
): Pair[] {
  return search(operands, result, sizes).pairs;
}

function search(
  operands: readonly (readonly string[])[],
  result: readonly string[],
  sizes: Sizes,
): { cost: number; pairs: Pair[] } {
  if (operands.length < 2) return { cost: 0, pairs: [] };
  const steps = operands.flatMap((a, i) =>
    operands.slice(i + 1).map((b, n) => {
      const pair: Pair = [i, i + 1 + n];
      const others = operands.filter((_, at) => !pair.includes(at));
      const together = [...new Set([...a, ...b])];
      const cost = together.reduce((product, label) => product * sizes.get(label)!, 1);
      const needed = new Set([...result, ...others.flat()]);
      return { pair, cost, left: [...others, together.filter((label) => needed.has(label))] };
    }),
  );
  steps.sort((a, b) => a.cost - b.cost);
  let best: { cost: number; pairs: Pair[] } | undefined;
  for (const { pair, cost, left } of operands.length > tryAllUpTo ? steps.slice(0, 1) : steps) {
    if (best && cost >= best.cost) break;
    const rest = search(left, result, sizes);
    if (!best || cost + rest.cost < best.cost)
      best = { cost: cost + rest.cost, pairs: [pair, ...rest.pairs] };
  }
  return best!;
}
