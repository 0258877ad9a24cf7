import { currentHost } from "./host.js";
import { valueText } from "./value-text.js";

/**
 * Prints values as one line of text, separated by spaces. Integers of five digits or more have commas: 16,384.
 *
 * @example
 * ```ts
 * import { print } from "@qkv/page";
 *
 * print("rows sum to", [1, 1, 1]);
 * ```
 */
export function print(...values: unknown[]): void {
  currentHost()?.post({ type: "text", text: values.map(printedText).join(" "), level: "log" });
}

const printedText = (value: unknown): string =>
  Number.isSafeInteger(value) && Math.abs(value as number) >= 10_000
    ? (value as number).toLocaleString("en-US")
    : valueText(value);
