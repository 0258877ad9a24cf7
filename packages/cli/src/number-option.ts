import { ArgumentError } from "@qkv/core";

/** Valid range of a number option, as text and as a predicate. */
export type NumberRule = { readonly expected: string; readonly fix: string; accepts(value: number): boolean };

/**
 * Creates the parser of a number option. It refuses text that is not entirely a number.
 *
 * @param flag - The flag, `--temperature`.
 */
export function numberOption(flag: string, rule: NumberRule): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (Number.isFinite(value) && rule.accepts(value)) return value;
    throw new ArgumentError({
      fn: "qkv",
      argument: flag,
      received: Number.isFinite(value) ? value : text,
      expected: rule.expected,
      fix: rule.fix,
    });
  };
}
