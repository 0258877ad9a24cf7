import { ArgumentError } from "@qkv/core";
import { currentHost } from "./host.js";

/**
 * Puts a list to choose from beside the code and returns what is chosen. When the reader chooses another the code runs
 * again from its first line. In plain Node it returns the first.
 *
 * @param label - The changed quantity. One label is one list, however often it is asked for.
 * @param options - The choices; the first is selected.
 * @throws {ArgumentError} If there is nothing to choose.
 *
 * @example
 * ```ts
 * import { choice } from "@qkv/page";
 *
 * choice("device", ["js", "wasm"]); // => "js"
 * ```
 */
export function choice<const T extends string>(label: string, options: readonly T[]): T {
  const [first] = options;
  if (first === undefined) {
    throw new ArgumentError({
      fn: "choice",
      argument: "options",
      received: options,
      expected: "one text or more",
      fix: 'write choice("device", ["js", "wasm"]).',
    });
  }
  const host = currentHost();
  const chosen = host && Object.hasOwn(host.values, label) ? host.values[label] : undefined;
  const value = options.find((option) => option === chosen) ?? first;
  host?.post({ type: "choice", label, options, value });
  return value;
}
