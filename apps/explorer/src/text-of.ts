/** A token with its white space to be seen. */
export const visible = (token: string): string =>
  token === "" ? "∅" : token.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ /, "␣");

/** A text that fits into a title. */
export const clipped = (text: string): string => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

export const percent = (part: number): string => `${(100 * part).toFixed(part < 0.1 ? 1 : 0)}%`;

/** Two probabilities with as many digits as tell them apart, three at the most. */
export function percents(before: number, after: number): readonly [before: string, after: string] {
  const texts = [percent(before), percent(after)] as const;
  if (texts[0] !== texts[1] || before === after) return texts;
  const digits =
    [1, 2].find((digits) => (100 * before).toFixed(digits) !== (100 * after).toFixed(digits)) ?? 3;
  return [`${(100 * before).toFixed(digits)}%`, `${(100 * after).toFixed(digits)}%`];
}

/** Names in words: `0, 1 and 3`. */
export const listed = (names: readonly (string | number)[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;

/** A number of two decimals, without a minus where it rounds to 0. */
export const decimals = (number: number): string =>
  number
    .toFixed(2)
    .replace(/^-(0\.00)$/, "$1")
    .replace("-", "\u2212");

/** A number with its sign. */
export const signed = (number: number): string => {
  const text = decimals(number);
  return text.startsWith("\u2212") ? text : `+${text}`;
};

/** Tokens, with their positions where the same one occurs twice: `the·5`. */
export function withPositions(tokens: readonly string[]): readonly string[] {
  const count = new Map<string, number>();
  for (const token of tokens) count.set(token, (count.get(token) ?? 0) + 1);
  return tokens.map((token, i) => (count.get(token)! > 1 ? `${token}·${i}` : token));
}

/** A device by its name, in words: `wasm,threads=2,relaxed` computes on 2 threads of the processor. */
export function deviceText(name: string): string {
  const threads = Number(/threads=(\d+)/.exec(name)?.[1] ?? 1);
  return threads === 1 ? "on your processor" : `on ${threads} threads of your processor`;
}

/** A source of a sum in words. */
export function sourceText(name: string): string {
  const [, layer, part, head] = /^layers\.(\d+)\.(\w+)(?:\.(\d+))?/.exec(name) ?? [];
  if (layer === undefined) return name;
  if (part === "heads" && head !== undefined) return `layer ${layer}, head ${head}`;
  return `layer ${layer}, ${part === "feedForward" ? "feed-forward layer" : part}`;
}
