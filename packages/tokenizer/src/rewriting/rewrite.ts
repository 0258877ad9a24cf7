import { checks } from "@qkv/core";
/** Replaces `text[start .. end)` by `text`. Unit: UTF-16 units. */
export type Edit = readonly [start: number, end: number, text: string];

/**
 * Changes a text: the first stage (Unicode forms, small letters), or a step of the second (`▁` for spaces). It is
 * said twice: as the whole result, fast, and as edits, from which offsets into the original follow.
 */
export type Rewrite = {
  readonly name: string;
  /** @param first - Whether the text stands at the very start of the input, and not behind an added token. */
  apply(text: string, first: boolean): string;
  /** What `apply` changes: edits in order, none over another. */
  edits(text: string, first: boolean): Iterable<Edit>;
  /** How `tokenizer.json` writes it; null where the step before says it too; without it nothing can be saved. */
  readonly json?: unknown;
};

/** A rewrite from its edits; `apply`, if given, is a faster way to the same text. */
export function defineRewrite(
  name: string,
  edits: Rewrite["edits"],
  more: { apply?: Rewrite["apply"]; json?: unknown } = {},
): Rewrite {
  const check = checks("defineRewrite");
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

/** A rewrite that changes each character by itself. */
export function byCharacter(
  name: string,
  change: (character: string) => string,
  more: { apply?: Rewrite["apply"]; json?: unknown } = {},
): Rewrite {
  const check = checks("byCharacter");
  check.type({ name }, "string");
  check.type({ change }, "function");
  return defineRewrite(
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
