/** A number as a reader wants it: four significant digits, without zeros behind. */
export function numberText(value: number): string {
  return String(Number(value.toPrecision(4)));
}
