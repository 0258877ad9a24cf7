import { checks } from "@qkv/core";
/** Replaces `text[start .. end)` by `text`. Unit: UTF-16 units. */
export type Edit = readonly [start: number, end: number, text: string];

/**
 * Normalizes a text: a step of the first stage (Unicode forms, lowercase), or of the second (`▁` for spaces). It has two
 * forms: `apply` returns the result, fast; `edits` returns the changes, from which offsets into the original follow.
 */
export type Normalizer = {
  readonly name: string;
  /** @param first - The text is at the very start of the input, not after an added token. */
  apply(text: string, first: boolean): string;
  /** The changes of `apply`: edits in order, without overlap. */
  edits(text: string, first: boolean): Iterable<Edit>;
  /** Its entry in `tokenizer.json`; null where the step before has it; without one the tokenizer cannot be saved. */
  readonly json?: unknown;
};

/** A normalizer from its edits; `apply`, if given, is a faster way to the same text. */
export function defineNormalizer(
  name: string,
  edits: Normalizer["edits"],
  more: { apply?: Normalizer["apply"]; json?: unknown } = {},
): Normalizer {
  const check = checks("defineNormalizer");
  check.type({ name }, "string");
  check.type({ edits }, "function");
  return { name, edits, apply: (text, first) => applyEdits(text, edits(text, first)), ...more };
}

/** The text after the edits. */
export function applyEdits(text: string, edits: Iterable<Edit>): string {
  let [result, at] = ["", 0];
  for (const [start, end, replacement] of edits) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return at === 0 && result === "" ? text : result + text.slice(at);
}

/** A normalizer that maps each character by itself. */
export function characterNormalizer(
  name: string,
  change: (character: string) => string,
  more: { apply?: Normalizer["apply"]; json?: unknown } = {},
): Normalizer {
  const check = checks("characterNormalizer");
  check.type({ name }, "string");
  check.type({ change }, "function");
  return defineNormalizer(
    name,
    function* (text) {
      let at = 0;
      for (const character of text) {
        const changed = change(character);
        const end = at + character.length;
        if (changed !== character) yield [at, end, changed] satisfies Edit;
        at = end;
      }
    },
    more,
  );
}
