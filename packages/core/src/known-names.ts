import { editDistance, plainLetters } from "./edit-distance.js";

const mostNames = 8;
const mostNear = 3;

/**
 * Lists the known names, for an error about an unknown one. Up to eight are written whole: `a, b, c`. Of more, the text has up to
 * three names near the given one, the number of names, and where all of them are listed. Of numbers, the text has the nearest
 * three.
 *
 * @param given - The unknown name.
 * @param names - The known names.
 * @param list - Place where all names are listed, as a noun phrase. Default: they are listed nowhere.
 *
 * @example
 * ```ts
 * import { knownNames } from "@qkv/core";
 *
 * knownNames("tan", ["none", "tanh"], "the reference"); // => "none, tanh"
 * const many = ["add", "div", "exp", "log", "max", "min", "mul", "sin", "tanh"];
 * knownNames("tan", many, "the reference"); // => "tanh, … (the reference lists all 9)"
 * ```
 */
export function knownNames(given: unknown, names: readonly (string | number)[], list?: string): string {
  if (names.length <= mostNames) return names.join(", ");
  const near = typeof given === "number" ? nearNumbers(given, names) : nearNames(given, names.map(String));
  const all = list === undefined ? `${names.length} in all` : `${list} lists all ${names.length}`;
  return `${near.join(", ")}, … (${all})`;
}

/** The choices of an argument in quotes: `"a", "b" or "c"`. More than eight are shortened as by {@link knownNames}. */
export function quotedNames(fn: string, given: unknown, names: readonly (string | number)[]): string {
  if (names.length > mostNames) return `one of ${knownNames(given, names, `the reference of \`${fn}\``)}`;
  const quoted = names.map((name) => JSON.stringify(name));
  return [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter(Boolean).join(" or ");
}

/** The names near the given one, nearest first, at most three; the first three names if none is near. */
function nearNames(given: unknown, names: readonly string[]): string[] {
  const letters = typeof given === "string" ? plainLetters(given.slice(0, 64)) : "";
  const near = names
    .map((name) => ({ name, distance: relativeDistance(letters, plainLetters(name)) }))
    .filter(({ distance }) => distance <= 0.5)
    .sort((a, b) => a.distance - b.distance)
    .map(({ name }) => name);
  return (near.length > 0 ? near : names).slice(0, mostNear);
}

/** The three names nearest to a number, in their order; the first three if they are no numbers. */
function nearNumbers(given: number, names: readonly (string | number)[]): readonly (string | number)[] {
  const nearest = names
    .map((name, i) => ({ i, distance: Math.abs(Number(name) - given) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, mostNear);
  return nearest.sort((a, b) => a.i - b.i).map(({ i }) => names[i]!);
}

/** Fraction of letters that differ, from 0 to 1; half of it if one name contains the other. */
function relativeDistance(a: string, b: string): number {
  const fraction = editDistance(a, b) / Math.max(a.length, b.length, 1);
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length > 2 && long.includes(short) ? fraction / 2 : fraction;
}
