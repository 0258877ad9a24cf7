/** Rounds parts of a sum to whole units that add up to `total`, by the largest remainder method. */
export function unitsThatAddUp(parts: readonly number[], total: number): number[] {
  const sum = parts.reduce((all, part) => all + part, 0);
  const exact = parts.map((part) => (sum > 0 ? (total * part) / sum : 0));
  const units = exact.map((value) => Math.floor(value + 1e-9));
  const left = sum > 0 ? total - units.reduce((a, b) => a + b, 0) : 0;
  const lost = exact
    .map((value, i) => ({ i, rest: value - units[i]! }))
    .sort((a, b) => b.rest - a.rest || a.i - b.i);
  for (const { i } of lost.slice(0, left)) units[i]! += 1;
  return units;
}

/** Fractions that sum to 1 as percentages with one decimal, which add up to 100.0% as printed. */
export const percentsThatAddUp = (parts: readonly number[]): string[] =>
  unitsThatAddUp(parts, 1000).map((units) => `${(units / 10).toFixed(1)}%`);

/** A fraction of 1 as a percentage with one decimal. */
export const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;

/** Weights with two decimals, which add up to 1.00 as printed. */
export const weightTexts = (weights: readonly number[]): string[] =>
  unitsThatAddUp(weights, 100).map((units) => (units / 100).toFixed(2));
