import type { Checks, Named } from "@qkv/core";

const has = (value: unknown, method: string): boolean =>
  (typeof value === "object" || typeof value === "function") &&
  value !== null &&
  typeof (value as Record<string, unknown>)[method] === "function";

/** Refuses a value without a method. `expected`: a noun phrase for values that have it. */
export function checkHas(check: Checks, values: Named, methods: readonly string[], expected: string): void {
  check.each(values, (value) => methods.every((method) => has(value, method)), expected);
}

/** Refuses a value that is not a tokenizer. */
export function checkTokenizer(check: Checks, values: Named, methods: readonly string[]): void {
  checkHas(check, values, methods, "a tokenizer, such as `loadTokenizer(files)` gives");
}

/** Refuses a value that is not a list, or has items of another type. */
export function checkList(
  check: Checks,
  values: Named,
  holds: (item: unknown) => boolean,
  expected: string,
): void {
  check.each(values, (value) => Array.isArray(value) && value.every(holds), expected);
}

/** Refuses a value that is neither text nor bytes. */
export function checkTextOrBytes(check: Checks, values: Named, expected = "a text or its bytes"): void {
  check.each(values, (value) => typeof value === "string" || value instanceof Uint8Array, expected);
}

/** Refuses a value that cannot be the content of a file. */
export function checkBytes(check: Checks, values: Named): void {
  check.each(
    values,
    (value) => value instanceof Uint8Array,
    "a Uint8Array",
    "give the file's content: `await readFile(path)`, or `new Uint8Array(await response.arrayBuffer())`.",
  );
}

/** Refuses a value that is neither a list nor a stream of texts. A single text is accepted. */
export function checkTexts(check: Checks, values: Named): void {
  check.each(
    values,
    (value) => typeof value === "string" || isIterable(value),
    "texts: a list of strings, or a stream of them",
  );
}

export const isIterable = (value: unknown): boolean =>
  typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);

export const isText = (value: unknown): boolean => typeof value === "string";

/** Checks the options of a function that requires some: undefined is refused like any other wrong value. */
export function requireOptions<T extends object>(check: Checks, options: T, argument = "options"): T {
  check.each({ [argument]: options }, (value) => value !== undefined, "an object of options");
  return options;
}
