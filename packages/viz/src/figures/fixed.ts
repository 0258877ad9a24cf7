/** A number with `digits` digits after the point, and a minus sign (U+2212) instead of a hyphen. */
export function fixed(value: number, digits = 2): string {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
}

/** {@link fixed} with a plus before positive numbers. */
export const signed = (value: number, digits = 2): string =>
  Number(value.toFixed(digits)) > 0 ? `+${fixed(value, digits)}` : fixed(value, digits);
