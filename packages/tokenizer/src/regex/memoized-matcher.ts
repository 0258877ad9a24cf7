import { ArgumentError } from "@qkv/core";
import { isInsideSurrogatePair } from "../surrogate-pair.js";
import type { Program } from "./compile-program.js";

/** All matches of a pattern in a text: alternating starts and ends, and the number of executed instructions. */
export type Matches = { readonly spans: number[]; readonly steps: number };

/**
 * Compiles a matcher with memoized backtracking, which tries no path twice: the result of an instruction at a position depends
 * on nothing else, and is stored. The number of steps for all matches together is at most the size of the program times the length
 * of the text, including lookarounds and atomic groups.
 *
 * Matches equal those of JavaScript's engine.
 *
 * @see Davis, Servant and Lee, "Using Selective Memoization to Defeat Regular Expression Denial of Service" (2021),
 *   IEEE Symposium on Security and Privacy
 * @see Barrière and Pit-Claudel, "Linear Matching of JavaScript Regular Expressions" (2024), PLDI, on looks
 */
export function memoizedMatcher(program: Program): (text: string) => Matches {
  const hasLookbehinds = hasLookbehind(program);
  let kept = 0;
  const makeRoom = (entries: number): boolean => (kept += entries) <= maxResults;
  const main = prepare(program, new Map(), makeRoom);
  const all = withInner(main);

  return (text) => {
    kept = 0;
    for (const { results } of all) results.begin(text);
    const stack: number[] = []; // instruction, position and trail length of each path that has not been tried yet
    const trail: number[] = []; // column and position of each result that depends on the current path
    let steps = 0;

    /** The end of the first match that begins at a position (the start, for backward programs), or -1. */
    const run = (prepared: Prepared, start: number): number => {
      const { operations, next, other, columns, tests, assertions, inner, results, backward } = prepared;
      const [stackBase, trailBase] = [stack.length, trail.length];
      let [state, at, end] = [prepared.entry, start, -1];
      search: for (;;) {
        steps += 1;
        const column = columns[state]!;
        const result = column < 0 ? 0 : results.get(column, at);
        if (result > failure) {
          end = result - 2;
          break;
        }
        let failed = result === failure;
        if (!failed) {
          if (column >= 0) {
            results.set(column, at, failure); // replaced if the path succeeds
            trail.push(column, at);
          }
          const here = state;
          state = next[here]!;
          switch (operations[here]) {
            case operation.accept:
              end = at;
              break search;
            case operation.fail:
              failed = true;
              break;
            case operation.set: {
              const to = backward ? placeBefore(text, at) : placeAfter(text, at);
              failed = to < 0 || !tests[here]!(text.codePointAt(backward ? to : at)!);
              at = to;
              break;
            }
            case operation.assertion: {
              const assertion = assertions[here]!;
              assertion.lastIndex = at;
              failed = !assertion.test(text);
              break;
            }
            case operation.split:
              stack.push(other[here]!, at, trail.length);
              break;
            case operation.lookaround:
              failed = run(inner[here]!, at) < 0;
              break;
            case operation.negativeLookaround:
              failed = run(inner[here]!, at) >= 0;
              break;
            case operation.atomic: {
              const to = run(inner[here]!, at);
              failed = to < 0;
              if (to === at) state = other[here]!;
              at = to;
              break;
            }
          }
        }
        if (!failed) continue;
        if (stack.length === stackBase) break;
        trail.length = stack.pop()!;
        at = stack.pop()!;
        state = stack.pop()!;
      }
      if (end >= 0)
        for (let i = trailBase; i < trail.length; i += 2) results.set(trail[i]!, trail[i + 1]!, end + 2);
      stack.length = stackBase;
      trail.length = trailBase;
      return end;
    };

    const spans: number[] = [];
    try {
      for (let start = 0; start <= text.length;) {
        const end = run(main, start);
        if (end >= 0) spans.push(start, end);
        if (!hasLookbehinds) for (const { results } of all) results.forget(start);
        const after = placeAfter(text, start);
        start = end > start ? end : after < 0 ? text.length + 1 : after;
      }
    } finally {
      for (const { results } of all) results.begin("");
    }
    return { spans, steps };
  };
}

/**
 * A program as arrays with one entry per instruction, and the memoized results for the current text. The arrays are
 * created once, because a pattern is used for many short texts.
 */
type Prepared = {
  readonly entry: number;
  readonly backward: boolean;
  readonly operations: Uint8Array;
  readonly next: Int32Array;
  readonly other: Int32Array;
  readonly columns: Int32Array;
  readonly columnCount: number;
  readonly tests: readonly (CharacterTest | undefined)[];
  readonly assertions: readonly (RegExp | undefined)[];
  readonly inner: readonly (Prepared | undefined)[];
  readonly results: Results;
};
const operation = {
  accept: 0,
  fail: 1,
  set: 2,
  assertion: 3,
  split: 4,
  lookaround: 5,
  negativeLookaround: 6,
  atomic: 7,
};

function prepare(
  program: Program,
  testsBySource: Map<string, CharacterTest>,
  makeRoom: (entries: number) => boolean,
): Prepared {
  const { instructions } = program;
  const cachedTest = (source: string) => {
    const test = testsBySource.get(source) ?? characterTest(source);
    testsBySource.set(source, test);
    return test;
  };
  return {
    ...program,
    operations: Uint8Array.from(instructions, (one) =>
      one.type === "lookaround" && one.negative ? operation.negativeLookaround : operation[one.type],
    ),
    next: Int32Array.from(instructions, (one) => ("next" in one ? one.next : 0)),
    other: Int32Array.from(instructions, (one) =>
      one.type === "split" ? one.other : one.type === "atomic" ? one.empty : 0,
    ),
    tests: instructions.map((one) => (one.type === "set" ? cachedTest(one.source) : undefined)),
    assertions: instructions.map((one) =>
      one.type === "assertion" ? new RegExp(one.source, "uy") : undefined,
    ),
    inner: instructions.map((one) =>
      "program" in one ? prepare(one.program, testsBySource, makeRoom) : undefined,
    ),
    results: resultTable(program.columnCount, makeRoom),
  };
}

/** A program and all nested programs (lookarounds, atomic groups). */
const withInner = (prepared: Prepared): Prepared[] => [
  prepared,
  ...prepared.inner.flatMap((one) => (one ? withInner(one) : [])),
];

type Results = {
  /** Clears all results and starts a new text. */
  begin(text: string): void;
  get(column: number, place: number): number;
  set(column: number, place: number, result: number): void;
  /** Drops the results before a position. */
  forget(place: number): void;
};
/** Results: 0 unknown, 1 no match, else the end of the match plus 2. */
const failure = 1;

/** Memoized results of a program, in pages that are allocated on write. */
function resultTable(columns: number, makeRoom: (entries: number) => boolean): Results {
  let text = "";
  const pages: (Int32Array | undefined)[] = [];
  let first = 0; // index of the first page that is not dropped
  let pageBits = 0; // log2 of the positions per page: 8, or less for a short text
  return {
    begin(next) {
      text = next;
      pages.length = 0;
      first = 0;
      pageBits = Math.min(8, 32 - Math.clz32(text.length));
    },
    get: (column, place) =>
      pages[place >> pageBits]?.[(column << pageBits) + (place & ((1 << pageBits) - 1))] ?? 0,
    set(column, place, result) {
      let page = pages[place >> pageBits];
      if (page === undefined) {
        if (!makeRoom(columns << pageBits)) throw tooLong(text);
        page = pages[place >> pageBits] = new Int32Array(columns << pageBits);
      }
      page[(column << pageBits) + (place & ((1 << pageBits) - 1))] = result;
    },
    forget(place) {
      for (; first < place >> pageBits; first++) {
        if (pages[first]) makeRoom(-columns << pageBits);
        pages[first] = undefined;
      }
    },
  };
}
/** Maximum number of stored results for one text: 512 MiB. */
const maxResults = 2 ** 27;

export function tooLong(text: string): ArgumentError {
  return new ArgumentError({
    fn: "spans",
    argument: "text",
    received: `a text of ${text.length} characters`,
    expected: "a shorter one, since its pattern needs more than 512 MiB for it",
    fix: "split the text at line breaks before, or use a simpler pattern.",
  });
}

type CharacterTest = (code: number) => boolean;

/** Tests characters for membership in a set, with a cache. */
function characterTest(source: string): CharacterTest {
  const regex = new RegExp(`^${source}$`, "u");
  const known = new Uint8Array(0x10000); // 0 unknown, 1 not in it, 2 in it
  return (code) => {
    const found = known[code];
    if (found) return found === 2;
    const has = regex.test(String.fromCodePoint(code));
    if (code < known.length) known[code] = has ? 2 : 1;
    return has;
  };
}

const placeAfter = (text: string, at: number): number =>
  at >= text.length ? -1 : isInsideSurrogatePair(text, at + 1) ? at + 2 : at + 1;
const placeBefore = (text: string, at: number): number =>
  at <= 0 ? -1 : isInsideSurrogatePair(text, at - 1) ? at - 2 : at - 1;

const hasLookbehind = ({ instructions, backward }: Program): boolean =>
  backward || instructions.some((one) => "program" in one && hasLookbehind(one.program));
