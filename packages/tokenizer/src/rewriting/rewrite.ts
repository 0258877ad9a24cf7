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
};

/** A rewrite from its edits alone. */
export function defineRewrite(name: string, edits: Rewrite["edits"]): Rewrite {
  return { name, edits, apply: (text, first) => applyEdits(text, edits(text, first)) };
}

export function applyEdits(text: string, edits: Iterable<Edit>): string {
  let [result, at] = ["", 0];
  for (const [start, end, replacement] of edits) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return at === 0 && result === "" ? text : result + text.slice(at);
}
