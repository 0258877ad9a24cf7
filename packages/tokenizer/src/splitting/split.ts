import { checks } from "@qkv/core";
/** Cuts a text into pieces: a step of the second stage. A token never reaches over the end of a piece. */
export type Split = {
  readonly name: string;
  /** Starts and ends of the pieces, in turn. What lies between two pieces is dropped. Unit: UTF-16 units. */
  spans(text: string): number[];
  /**
   * Where the piece that starts at `start` ends, for a split that drops nothing: pieces follow each other, and no
   * list of them is made. Always more than `start`.
   */
  next?(text: string, start: number): number;
  /** How `tokenizer.json` writes it; null where the step before says it too; without it nothing can be saved. */
  readonly json?: unknown;
};

/** A split that drops nothing, from the function that finds the end of a piece. */
export function defineSplit(
  name: string,
  next: (text: string, start: number) => number,
  more: { json?: unknown } = {},
): Split {
  const check = checks("defineSplit");
  check.type({ name }, "string");
  check.type({ next }, "function");
  return {
    name,
    next,
    spans(text) {
      const spans: number[] = [];
      for (let start = 0; start < text.length;) {
        const end = next(text, start);
        spans.push(start, end);
        start = end;
      }
      return spans;
    },
    ...more,
  };
}
