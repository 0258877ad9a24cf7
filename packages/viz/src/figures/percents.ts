/** Parts as whole units that add up to `total`, as the parts do: what rounding leaves goes to those that lost most. */
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

/** Parts of 1 as percent with one digit, that add up to 100.0% as printed. */
export const percentsThatAddUp = (parts: readonly number[]): string[] =>
  unitsThatAddUp(parts, 1000).map((units) => `${(units / 10).toFixed(1)}%`);

/** A part of 1 as percent with one digit. */
export const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;

/** Weights with two digits, that add up to 1.00 as printed. */
export const weightTexts = (weights: readonly number[]): string[] =>
  unitsThatAddUp(weights, 100).map((units) => (units / 100).toFixed(2));
