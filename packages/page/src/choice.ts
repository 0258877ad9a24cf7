import { ArgumentError, knownNames } from "@qkv/core";
import { currentHost } from "./host.js";

/**
 * Adds a list to the page beside the code, and returns the selected option. When the reader selects another one, the code
 * runs again from its first line. Without a page, as in Node, it returns the initial option.
 *
 * @param label - Name of the quantity. Calls with the same label share one list.
 * @param options - The options, strings or numbers.
 * @param settings - `value`: the initial option. Default: the first.
 * @throws {ArgumentError} If there are no options, or `value` is not one of them.
 *
 * @example
 * ```ts
 * import { choice } from "@qkv/page";
 *
 * choice("device", ["js", "wasm"]); // => "js"
 * choice("tokens", [1024, 16384], { value: 16384 }); // => 16384
 * ```
 */
export function choice<const T extends string | number>(
  label: string,
  options: readonly T[],
  settings: { value?: NoInfer<T> } = {},
): T {
  const initial = settings.value ?? options[0];
  if (initial === undefined) {
    throw new ArgumentError({
      fn: "choice",
      argument: "options",
      received: options,
      expected: "one text or number, or more",
      fix: 'write choice("device", ["js", "wasm"]).',
    });
  }
  if (!options.includes(initial)) {
    throw new ArgumentError({
      fn: "choice",
      argument: "value",
      received: initial,
      expected: `one of ${knownNames(initial, options, "the call")}`,
      fix: "give one of the options, or leave it out for the first.",
    });
  }
  const host = currentHost();
  const chosen = host && Object.hasOwn(host.values, label) ? host.values[label] : undefined;
  const value = options.find((option) => optionText(option) === chosen) ?? initial;
  host?.post({ type: "choice", label, options: options.map(optionText), value: optionText(value) });
  return value;
}

/** The text of an option. Numbers have commas: 16,384. */
const optionText = (option: string | number): string =>
  typeof option === "string" ? option : option.toLocaleString("en-US", { maximumFractionDigits: 20 });
