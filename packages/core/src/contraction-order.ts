/** Axis length by label. */
export type Sizes = ReadonlyMap<string, number>;

/** Indices of two operands to multiply. Both are removed from the list, and their product is appended. */
export type Pair = readonly [number, number];

/** With at most this many operands, all orders are compared; with more, the cheapest pair is multiplied first (greedy). */
const maxExhaustive = 5;

/**
 * Finds a contraction order: the pairs of operands to multiply one after another, with as few multiplications as possible.
 *
 * @param operands - Labels of the axes of each operand.
 * @param result - Labels of the axes of the result.
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
      const others = operands.filter((_, index) => !pair.includes(index));
      const labels = [...new Set([...a, ...b])];
      const cost = labels.reduce((product, label) => product * sizes.get(label)!, 1);
      const needed = new Set([...result, ...others.flat()]);
      const product = labels.filter((label) => needed.has(label));
      return { pair, cost, remaining: [...others, product] };
    }),
  );
  steps.sort((a, b) => a.cost - b.cost);
  let best: { cost: number; pairs: Pair[] } | undefined;
  for (const { pair, cost, remaining } of operands.length > maxExhaustive ? steps.slice(0, 1) : steps) {
    if (best && cost >= best.cost) break;
    const rest = search(remaining, result, sizes);
    if (!best || cost + rest.cost < best.cost)
      best = { cost: cost + rest.cost, pairs: [pair, ...rest.pairs] };
  }
  return best!;
}
