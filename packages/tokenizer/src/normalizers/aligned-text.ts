import type { Normalizer } from "./normalizer.js";

/**
 * A text that passes through the stages, with the alignment of each UTF-16 unit to the original (`NormalizedString` in
 * Hugging Face's library): unit `i` comes from `original[starts[i] .. ends[i])`. No alignments where no offsets are wanted.
 */
export type AlignedText = {
  readonly text: string;
  readonly alignments?: { readonly starts: Int32Array; readonly ends: Int32Array } | undefined;
  /** The text is at the very start of the input. */
  readonly first: boolean;
};

/** The whole input. */
export function alignedText(text: string, withAlignments: boolean): AlignedText {
  if (!withAlignments) return { text, first: true };
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
  return { text, alignments: { starts, ends }, first: true };
}

/** `aligned[start .. end)` */
export function sliceAligned(aligned: AlignedText, start: number, end: number): AlignedText {
  const { text, alignments, first } = aligned;
  if (start === 0 && end === text.length) return aligned;
  return {
    text: text.slice(start, end),
    first: first && start === 0,
    alignments: alignments && {
      starts: alignments.starts.subarray(start, end),
      ends: alignments.ends.subarray(start, end),
    },
  };
}

/** Applies a normalizer. New text is aligned to the text that it replaces; an insertion, to the following character. */
export function normalizeAligned(aligned: AlignedText, normalizer: Normalizer): AlignedText {
  const { text, alignments, first } = aligned;
  if (!alignments) return { text: normalizer.apply(text, first), first };
  const starts: number[] = [];
  const ends: number[] = [];
  let [result, at] = ["", 0];
  const keep = (to: number) => {
    result += text.slice(at, to);
    for (; at < to; at++) {
      starts.push(alignments.starts[at]!);
      ends.push(alignments.ends[at]!);
    }
  };
  for (const [start, end, replacement] of normalizer.edits(text, first)) {
    keep(start);
    const [from, to] =
      start < end ? [start, end - 1] : start < text.length ? [start, start] : [start - 1, start - 1];
    for (let i = 0; i < replacement.length; i++) {
      starts.push(alignments.starts[from] ?? 0);
      ends.push(alignments.ends[to] ?? 0);
    }
    result += replacement;
    at = end;
  }
  keep(text.length);
  return {
    text: result,
    first,
    alignments: { starts: Int32Array.from(starts), ends: Int32Array.from(ends) },
  };
}
