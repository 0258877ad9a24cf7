import { currentHost } from "./host.js";
import { valueText } from "./value-text.js";

/**
 * Writes values as one line of text, with a space between them.
 *
 * @example
 * ```ts
 * import { print } from "@qkv/page";
 *
 * print("rows sum to", [1, 1, 1]);
 * ```
 */
export function print(...values: unknown[]): void {
  currentHost()?.post({ type: "text", text: values.map(valueText).join(" "), level: "log" });
}
