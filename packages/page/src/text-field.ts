import { ArgumentError } from "@qkv/core";
import { currentHost } from "./host.js";

/**
 * Adds a text field to the page beside the code, and returns its text. While the reader types, the code runs again from its
 * first line with the new text. Without a page, as in Node, it returns `value`.
 *
 * @param label - Name of the text. Calls with the same label share one field.
 * @param options - `value`: the initial text.
 * @throws {ArgumentError} If `value` is not a string.
 *
 * @example
 * ```ts
 * import { textField } from "@qkv/page";
 *
 * textField("your text", { value: "the cat sat" }); // => "the cat sat"
 * ```
 */
export function textField(label: string, { value }: { value: string }): string {
  if (typeof value !== "string") {
    throw new ArgumentError({
      fn: "textField",
      argument: "value",
      received: value,
      expected: "a string",
      fix: 'write textField("label", { value: "some text" }).',
    });
  }
  const host = currentHost();
  const typed = host && Object.hasOwn(host.values, label) ? host.values[label] : undefined;
  const current = typeof typed === "string" ? typed : value;
  host?.post({ type: "field", label, value: current });
  return current;
}
