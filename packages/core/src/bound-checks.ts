import { checkOptions, type OptionName } from "./check-options.js";
import { ArgumentError, type ErrorFacts, type QkvError } from "./errors.js";
import { quotedNames } from "./known-names.js";

/** The facts of an error (argument, received, expected, fix, …), except the function that throws it. */
export type Refusal = Omit<ErrorFacts, "fn">;

/** The allowed range of a number: `min` and `max` are inclusive, `above` and `below` exclusive. */
export type NumberRange = {
  min?: number;
  max?: number;
  above?: number;
  below?: number;
  /** Unit of the number, for the message: `tokens`. */
  unit?: string;
  /** Fix in the message. Default: `give`, followed by the expected range. */
  fix?: string;
};

/** True for an array or a typed array. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

/** Arguments by name: `{ windowSize }`. The error names the first invalid one. */
export type Named = Readonly<Record<string, unknown>>;

/** A class of errors. */
export type ErrorKind = new (facts: ErrorFacts) => QkvError;

/** Argument checks of one function, whose errors name it. Made by {@link checks}. */
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
   * Throws an error with these facts and the bound ones.
   *
   * @param Kind - Class of the error. Default: the bound class.
   */
  refuse(facts: Omit<Refusal, keyof Bound> & Partial<Refusal>, Kind = this.Kind): never {
    throw new Kind({ ...this.bound, ...facts, fn: this.fn } as ErrorFacts);
  }

  /**
   * Returns the options, or `{}` if they are undefined. Refuses unknown options, and suggests the nearest name; refuses any
   * value that is not a plain object, such as a number, a tensor or null.
   *
   * @param names - Names of all options of the function.
   * @param argument - Name of the argument in errors. Default `options`.
   */
  options<T extends object>(given: T | undefined, names: readonly OptionName<T>[], argument?: string): T {
    return checkOptions(this.fn, given, names, argument);
  }

  /** Refuses values that are not integers in the range: `check.whole({ windowSize }, { min: 1, unit: "tokens" })`. */
  whole(values: Named, range?: NumberRange): void {
    this.#numbers(values, Number.isSafeInteger, "an integer", range);
  }

  /** Refuses values that are not finite numbers in the range: `check.finite({ epsilon }, { min: 0 })`. */
  finite(values: Named, range?: NumberRange): void {
    this.#numbers(values, Number.isFinite, "a finite number", range);
  }

  // Valid values cost only the comparisons: the text is built when an error is thrown.
  #numbers(values: Named, holds: (value: unknown) => boolean, kind: string, range: NumberRange = {}): void {
    const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = range;
    for (const argument in values) {
      const received = values[argument];
      const number = received as number;
      if (holds(received) && number >= min && number <= max && number > above && number < below) continue;
      const expected = describeRange(kind, range);
      const fix = range.fix ?? this.bound.fix ?? `give ${expected}.`;
      this.refuse({ argument, received, expected, fix } as never);
    }
  }

  /** Refuses values of another type: `check.type({ onProgress }, "function")`. */
  type(values: Named, type: "boolean" | "function" | "number" | "string", fix?: string): void {
    this.each(values, (value) => typeof value === type, `a ${type}`, fix);
  }

  /** Refuses values that are not among the choices: `check.oneOf({ align }, ["top-left", "bottom-right"])`. */
  oneOf(values: Named, choices: readonly (string | number)[], fix?: string): void {
    for (const argument in values) {
      const value = values[argument];
      if (choices.includes(value as string)) continue;
      this.each({ [argument]: value }, () => false, quotedNames(this.fn, value, choices), fix);
    }
  }

  /**
   * Refuses values that are not lists (arrays or typed arrays), and lists with an item for which `holds` is false:
   * `check.list({ lengths }, "integers", Number.isInteger)`.
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

  /** Refuses values for which `holds` is false. `expected` describes valid values in a noun phrase. */
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

/** Text for a range: `an integer number of tokens, 1 or more and at most 8`. */
function describeRange(kind: string, { min, max, above, below, unit }: NumberRange): string {
  const bounds = [
    min !== undefined && `${min} or more`,
    above !== undefined && `above ${above}`,
    max !== undefined && `at most ${max}`,
    below !== undefined && `below ${below}`,
  ].filter(Boolean);
  const count = kind === "an integer" ? "an integer number" : kind;
  return [unit ? `${count} of ${unit}` : kind, bounds.join(" and ")].filter(Boolean).join(", ");
}

/**
 * Returns the argument checks of a function: each error names the function, the argument, the value received, the value
 * expected, and the fix.
 *
 * @param fn - Name of the public function, as callers write it.
 * @param bound - Facts that all errors share, such as the argument, the fix, or the `source` of a file.
 * @param Kind - Class of the errors. Default {@link ArgumentError}; readers of file formats pass `FormatError`.
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
