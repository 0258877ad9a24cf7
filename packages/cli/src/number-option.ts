import { ArgumentError } from "@qkv/core";

/** Range of an option's number, in words and as a test. */
export type NumberRule = { readonly expected: string; readonly fix: string; accepts(value: number): boolean };

/**
 * The parser of an option whose value is a number: a text that is not one, as a whole, is refused.
 *
 * @param flag - As the user types it: `--temperature`.
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
