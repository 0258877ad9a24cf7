/** A number as text: rounded to an integer from 1000 on, as 16,384; below with four significant digits, without trailing zeros. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  return size >= 1000 && size < 1e15
    ? Math.round(value).toLocaleString("en-US")
    : String(Number(value.toPrecision(4)));
}
