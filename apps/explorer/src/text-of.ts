/** A token with its white space to be seen. */
export const visible = (token: string): string =>
  token === "" ? "∅" : token.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ /, "␣");

export const percent = (part: number): string => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)} %`;

/** A number of two decimals, without a minus where it rounds to 0. */
export const decimals = (number: number): string => number.toFixed(2).replace(/^-(0\.00)$/, "$1");

/** A source of a sum in words. */
export function sourceText(name: string): string {
  const [, layer, part, head] = /^layers\.(\d+)\.(\w+)(?:\.(\d+))?/.exec(name) ?? [];
  if (layer === undefined) return name;
  if (part === "heads" && head !== undefined) return `layer ${layer}, head ${head}`;
  return `layer ${layer}, ${part === "feedForward" ? "feed-forward" : part}`;
}
