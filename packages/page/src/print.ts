import { currentHost } from "./host.js";
import { valueText } from "./value-text.js";

/**
 * Writes values as one line of text, with a space between them. A whole number among them is written as in prose: 16,384.
 *
 * @example
 * ```ts
 * import { print } from "@qkv/page";
 *
 * print("rows sum to", [1, 1, 1]);
 * ```
 */
export function print(...values: unknown[]): void {
  currentHost()?.post({ type: "text", text: values.map(inProse).join(" "), level: "log" });
}

const inProse = (value: unknown): string =>
  Number.isSafeInteger(value) && Math.abs(value as number) >= 10_000
    ? (value as number).toLocaleString("en-US")
    : valueText(value);
