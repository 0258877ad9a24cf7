import { editDistance, plainLetters } from "./edit-distance.js";
import { ArgumentError } from "./errors.js";
import { knownNames } from "./known-names.js";

/** The names of the options of a type; for a union, those of each member. */
export type OptionName<T> = T extends unknown ? keyof T & string : never;

/** Names of options in PyTorch and other libraries, in lower case without underscores, with the names used here. */
const synonyms: Readonly<Record<string, string>> = {
  attnmask: "mask",
  causal: "mask: causal()",
  dim: "axis",
  eps: "epsilon",
  epsilon: "eps",
  iscausal: "mask: causal()",
  lr: "learningRate",
  maxnewtokens: "maxTokens",
  minnewtokens: "processors: [minNewTokens(…)]",
  norepeatngramsize: "processors: [noRepeatNgram(…)]",
  temperature: "sampling: { temperature }",
};

/**
 * Returns the options, or `{}` if they are undefined. Refuses unknown options, and suggests the nearest name; refuses any value
 * that is not a plain object.
 */
export function checkOptions<T extends object>(
  fn: string,
  given: T | undefined,
  names: readonly OptionName<T>[],
  argument = "options",
): T {
  const options: object | undefined = given === undefined ? {} : given;
  const known: readonly string[] = names;
  if (!isPlain(options)) {
    throw new ArgumentError({
      fn,
      argument,
      received: options,
      expected: `an object with any of ${optionNames(fn, undefined, known)}`,
      fix: `pass an object: \`{ ${known[0]} }\`.`,
    });
  }
  for (const name in options) {
    if (known.includes(name)) continue;
    const suggestion = suggestName(name, known);
    throw new ArgumentError({
      fn,
      argument: name,
      received: (options as Record<string, unknown>)[name],
      expected: `one of ${optionNames(fn, name, known)}`,
      fix: suggestion === undefined ? "leave it out." : `write \`${suggestion}\`.`,
    });
  }
  return options as T;
}

/** The options of a function by name; of many, those with names near the given one. */
const optionNames = (fn: string, given: unknown, names: readonly string[]): string =>
  `the options ${knownNames(given, names, `the reference of \`${fn}\``)}`;

/** True for a plain object of any realm; false for tensors, arrays, promises and other instances of classes. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The option to suggest for an unknown name: a synonym, or else the nearest name. */
function suggestName(name: string, names: readonly string[]): string | undefined {
  const letters = plainLetters(name);
  const synonym = Object.hasOwn(synonyms, letters) ? synonyms[letters]! : "";
  return names.includes(synonym.split(":")[0]!) ? synonym : nearestName(name, names);
}

/** The name nearest to an unknown one: it begins with the same letters, or at most a third of its letters differ. */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const letters = plainLetters(name);
  let [best, least] = [undefined as string | undefined, Infinity];
  for (const each of names) {
    const other = plainLetters(each);
    const distance = letters.length > 2 && other.startsWith(letters) ? 1 : editDistance(letters, other);
    if (distance < least && distance <= Math.max(letters.length, other.length) / 3)
      [best, least] = [each, distance];
  }
  return best;
}
