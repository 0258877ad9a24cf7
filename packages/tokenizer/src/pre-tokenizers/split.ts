import { checks } from "@qkv/core";
/** Splits a text into pre-tokens: a pre-tokenizer, step of the second stage. No token crosses the end of a pre-token. */
export type Split = {
  readonly name: string;
  /** Starts and ends of the pre-tokens, alternately. Text between two pre-tokens is dropped. Unit: UTF-16 units. */
  spans(text: string): number[];
  /**
   * The end of the pre-token that starts at `start`, for a split that drops nothing: no list of pre-tokens is made.
   * Always more than `start`.
   */
  next?(text: string, start: number): number;
  /** Its entry in `tokenizer.json`; null where the step before has it; without one the tokenizer cannot be saved. */
  readonly json?: unknown;
};

/** A split that drops nothing, from the function that finds the end of a pre-token. */
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
