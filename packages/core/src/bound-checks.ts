import { checkOptions, type OptionName } from "./check-options.js";
import { ArgumentError, type ErrorFacts, type QkvError } from "./errors.js";

/** The facts of a refusal, besides the function that refuses. */
export type Refusal = Omit<ErrorFacts, "fn">;

/** The numbers that an argument may be. */
export type NumberRange = {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
  /** Unit of the number, for the message: `tokens`. */
  unit?: string;
  /** Default: to give what is expected. */
  fix?: string;
};

/** Tells an array or a typed array. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

/** Arguments by name: `{ windowSize }`. The first that is wrong is named. */
export type Named = Readonly<Record<string, unknown>>;

/** A class of errors. */
export type ErrorKind = new (facts: ErrorFacts) => QkvError;

/** The checks of one function, which throw errors that name it. Made by {@link checks}. */
export class Checks<Bound extends Partial<Refusal> = Record<never, never>> {
  declare readonly fn: string;
  declare readonly bound: Bound;
  declare readonly Kind: ErrorKind;

  constructor(fn: string, bound: Bound, Kind: ErrorKind) {
    this.fn = fn;
    this.bound = bound;
    this.Kind = Kind;
  }

  /**
   * Throws an error with these facts, and those that are bound.
   *
   * @param Kind - Default: the kind that is bound.
   */
  refuse(facts: Omit<Refusal, keyof Bound> & Partial<Refusal>, Kind = this.Kind): never {
    throw new Kind({ ...this.bound, ...facts, fn: this.fn } as ErrorFacts);
  }

  /**
   * The options given, or none. Refuses options that the function does not have, with the nearest name, and a value
   * (a number, text, a tensor, a list, null) where an object of options belongs.
   *
   * @param names - Every option of the function.
   * @param argument - The name of the argument. Default `options`.
   */
  options<T extends object>(given: T | undefined, names: readonly OptionName<T>[], argument?: string): T {
    return checkOptions(this.fn, given, names, argument);
  }

  /** Refuses what is not a whole number of this range: `check.whole({ windowSize }, { min: 1, unit: "tokens" })`. */
  whole(values: Named, range?: NumberRange): void {
    this.#numbers(values, Number.isSafeInteger, "a whole number", range);
  }

  /** Refuses what is not a finite number of this range: `check.finite({ epsilon }, { min: 0 })`. */
  finite(values: Named, range?: NumberRange): void {
    this.#numbers(values, Number.isFinite, "a finite number", range);
  }

  // A valid value costs a comparison or two: the text is made for a refusal only.
  #numbers(values: Named, holds: (value: unknown) => boolean, kind: string, range: NumberRange = {}): void {
    const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = range;
    for (const argument in values) {
      const received = values[argument];
      const number = received as number;
      if (holds(received) && number >= min && number <= max && number > above && number < below) continue;
      const expected = numbersOf(kind, range);
      const fix = range.fix ?? this.bound.fix ?? `give ${expected}.`;
      this.refuse({ argument, received, expected, fix } as never);
    }
  }

  /** Refuses what is of another type: `check.type({ onProgress }, "function")`. */
  type(values: Named, type: "boolean" | "function" | "number" | "string", fix?: string): void {
    this.each(values, (value) => typeof value === type, `a ${type}`, fix);
  }

  /** Refuses what is none of a few names or numbers: `check.oneOf({ align }, ["top-left", "bottom-right"])`. */
  oneOf(values: Named, choices: readonly (string | number)[], fix?: string): void {
    const quoted = choices.map((choice) => JSON.stringify(choice));
    const expected = [quoted.slice(0, -1).join(", "), quoted.at(-1)].filter(Boolean).join(" or ");
    this.each(values, (value) => choices.includes(value as string), expected, fix);
  }

  /**
   * Refuses what is no list (an array or a typed array), and lists with an item for which `holds` is false:
   * `check.list({ lengths }, "whole numbers", Number.isInteger)`.
   */
  list(values: Named, expected: string, holds?: (item: unknown) => boolean, fix?: string): void {
    for (const argument in values) {
      const list = values[argument];
      this.each({ [argument]: list }, isList, `a list of ${expected}`, fix);
      const items = Array.from(list as unknown[]);
      const wrong = holds ? items.findIndex((item) => !holds(item)) : -1;
      if (wrong >= 0) this.each({ [argument]: items[wrong] }, () => false, expected, fix);
    }
  }

  /** Refuses values for which `holds` is false. `expected` says in a noun phrase what they must be. */
  each(
    values: Named,
    holds: (value: unknown) => boolean,
    expected: string,
    fix = this.bound.fix ?? `give ${expected}.`,
  ): void {
    for (const argument in values) {
      const received = values[argument];
      if (!holds(received)) this.refuse({ argument, received, expected, fix } as never);
    }
  }
}

/** `a whole number of tokens, 1 or more and at most 8`. */
function numbersOf(kind: string, { min, max, above, below, unit }: NumberRange): string {
  const bounds = [
    min !== undefined && `${min} or more`,
    above !== undefined && `above ${above}`,
    max !== undefined && `at most ${max}`,
    below !== undefined && `below ${below}`,
  ].filter(Boolean);
  return [unit ? `${kind} of ${unit}` : kind, bounds.join(" and ")].filter(Boolean).join(", ");
}

/**
 * Binds the name of a function to the checks of its arguments: every error names the function, and facts are given
 * by name.
 *
 * @param fn - The public function, as callers write it.
 * @param bound - Facts that all refusals share: the argument, the fix, the `source` that a file was read from.
 * @param Kind - The kind of the errors. Default {@link ArgumentError}; readers of formats bind `FormatError`.
 *
 * @example
 * ```ts
 * import { checks } from "@qkv/core";
 *
 * function slidingWindow(windowSize: number) {
 *   const check = checks("slidingWindow");
 *   check.whole({ windowSize }, { min: 1, unit: "tokens", fix: "count the query itself." });
 *   return windowSize;
 * }
 * slidingWindow(4); // => 4
 * slidingWindow(0.5); // => throws ArgumentError
 * ```
 */
export function checks<Bound extends Partial<Refusal> = Record<never, never>>(
  fn: string,
  bound?: Bound,
  Kind: ErrorKind = ArgumentError,
): Checks<Bound> {
  return new Checks(fn, bound ?? ({} as Bound), Kind);
}
