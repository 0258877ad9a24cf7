import { ArgumentError } from "@qkv/core";
import { currentHost } from "./host.js";

/**
 * Puts a list to choose from beside the code and returns the chosen option. When the reader chooses another the code
 * runs again from its first line. In plain Node it returns the initial one.
 *
 * @param label - The changed quantity. One label is one list, however often it is asked for.
 * @param options - The choices, texts or numbers.
 * @param settings - `value`: the initial choice, the first option unless given.
 * @throws {ArgumentError} If there is nothing to choose, or `value` is not among the options.
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
      expected: `one of ${options.join(", ")}`,
      fix: "give one of the options, or leave it out for the first.",
    });
  }
  const host = currentHost();
  const chosen = host && Object.hasOwn(host.values, label) ? host.values[label] : undefined;
  const value = options.find((option) => optionText(option) === chosen) ?? initial;
  host?.post({ type: "choice", label, options: options.map(optionText), value: optionText(value) });
  return value;
}

/** Numbers as people write them: 16,384. */
const optionText = (option: string | number): string =>
  typeof option === "string" ? option : option.toLocaleString("en-US", { maximumFractionDigits: 20 });
