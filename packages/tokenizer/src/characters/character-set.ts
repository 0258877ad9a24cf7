/** A set of characters from ranges of hexadecimal numbers: `"61-7a 1f600"`. */
export function characterSet(ranges: string): RegExp {
  return new RegExp(`[${ranges.replace(/[0-9a-f]+/g, "\\u{$&}").replaceAll(" ", "")}]`, "u");
}
