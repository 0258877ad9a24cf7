import type { Rewrite } from "./rewrite.js";

/**
 * A text on its way through the stages, and where each of its UTF-16 units came from: unit `i` stands for
 * `original[starts[i] .. ends[i])`. Without origins when nobody asks for offsets.
 */
export type Passage = {
  readonly text: string;
  readonly origins?: { readonly starts: Int32Array; readonly ends: Int32Array } | undefined;
  /** Whether it stands at the very start of the input. */
  readonly first: boolean;
};

/** The whole input. */
export function wholePassage(text: string, traced: boolean): Passage {
  if (!traced) return { text, first: true };
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let at = 0; at < text.length; at++) {
    // Both halves of a surrogate pair stand for the whole character.
    const pair = (text.charCodeAt(at) & 0xfc00) === 0xd800;
    starts[at] = at;
    ends[at] = at + (pair ? 2 : 1);
    if (pair) {
      starts[at + 1] = at;
      ends[at + 1] = at + 2;
      at += 1;
    }
  }
  return { text, origins: { starts, ends }, first: true };
}

/** `passage[start .. end)` */
export function slicePassage(passage: Passage, start: number, end: number): Passage {
  const { text, origins, first } = passage;
  if (start === 0 && end === text.length) return passage;
  return {
    text: text.slice(start, end),
    first: first && start === 0,
    origins: origins && {
      starts: origins.starts.subarray(start, end),
      ends: origins.ends.subarray(start, end),
    },
  };
}

/** The passage after a rewrite. What is written anew stands for all that it replaces, or for what comes next. */
export function rewritePassage(passage: Passage, rewrite: Rewrite): Passage {
  const { text, origins, first } = passage;
  if (!origins) return { text: rewrite.apply(text, first), first };
  const starts: number[] = [];
  const ends: number[] = [];
  let [result, at] = ["", 0];
  const keep = (to: number) => {
    result += text.slice(at, to);
    for (; at < to; at++) {
      starts.push(origins.starts[at]!);
      ends.push(origins.ends[at]!);
    }
  };
  for (const [start, end, replacement] of rewrite.edits(text, first)) {
    keep(start);
    const [from, to] =
      start < end ? [start, end - 1] : start < text.length ? [start, start] : [start - 1, start - 1];
    for (let i = 0; i < replacement.length; i++) {
      starts.push(origins.starts[from] ?? 0);
      ends.push(origins.ends[to] ?? 0);
    }
    result += replacement;
    at = end;
  }
  keep(text.length);
  return { text: result, first, origins: { starts: Int32Array.from(starts), ends: Int32Array.from(ends) } };
}
