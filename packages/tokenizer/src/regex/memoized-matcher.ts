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
 * @see Barrière and Pit-Claudel, "Linear Matching of JavaScript Regular Expressions" (2024), PLDI, on lookarounds
 */
export function memoizedMatcher(program: Program): (text: string) => Matches {
  const hasLookbehinds = hasLookbehind(program);
  let storedResults = 0;
  const reserve = (entries: number): boolean => (storedResults += entries) <= maxResults;
  const main = prepare(program, new Map(), reserve);
  const programs = withInner(main);

  return (text) => {
    storedResults = 0;
    for (const { results } of programs) results.begin(text);
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
          const current = state;
          state = next[current]!;
          switch (operations[current]) {
            case operation.accept:
              end = at;
              break search;
            case operation.fail:
              failed = true;
              break;
            case operation.set: {
              const to = backward ? positionBefore(text, at) : positionAfter(text, at);
              failed = to < 0 || !tests[current]!(text.codePointAt(backward ? to : at)!);
              at = to;
              break;
            }
            case operation.assertion: {
              const assertion = assertions[current]!;
              assertion.lastIndex = at;
              failed = !assertion.test(text);
              break;
            }
            case operation.split:
              stack.push(other[current]!, at, trail.length);
              break;
            case operation.lookaround:
              failed = run(inner[current]!, at) < 0;
              break;
            case operation.negativeLookaround:
              failed = run(inner[current]!, at) >= 0;
              break;
            case operation.atomic: {
              const to = run(inner[current]!, at);
              failed = to < 0;
              if (to === at) state = other[current]!;
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
        if (!hasLookbehinds) for (const { results } of programs) results.forget(start);
        const after = positionAfter(text, start);
        start = end > start ? end : after < 0 ? text.length + 1 : after;
      }
    } finally {
      for (const { results } of programs) results.begin("");
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
  reserve: (entries: number) => boolean,
): Prepared {
  const { instructions } = program;
  const cachedTest = (source: string) => {
    const test = testsBySource.get(source) ?? characterTest(source);
    testsBySource.set(source, test);
    return test;
  };
  return {
    ...program,
    operations: Uint8Array.from(instructions, (instruction) =>
      instruction.type === "lookaround" && instruction.negative
        ? operation.negativeLookaround
        : operation[instruction.type],
    ),
    next: Int32Array.from(instructions, (instruction) => ("next" in instruction ? instruction.next : 0)),
    other: Int32Array.from(instructions, (instruction) =>
      instruction.type === "split"
        ? instruction.other
        : instruction.type === "atomic"
          ? instruction.empty
          : 0,
    ),
    tests: instructions.map((instruction) =>
      instruction.type === "set" ? cachedTest(instruction.source) : undefined,
    ),
    assertions: instructions.map((instruction) =>
      instruction.type === "assertion" ? new RegExp(instruction.source, "uy") : undefined,
    ),
    inner: instructions.map((instruction) =>
      "program" in instruction ? prepare(instruction.program, testsBySource, reserve) : undefined,
    ),
    results: resultTable(program.columnCount, reserve),
  };
}

/** A program and all nested programs (lookarounds, atomic groups). */
const withInner = (prepared: Prepared): Prepared[] => [
  prepared,
  ...prepared.inner.flatMap((nested) => (nested ? withInner(nested) : [])),
];

type Results = {
  /** Clears all results and starts a new text. */
  begin(text: string): void;
  get(column: number, position: number): number;
  set(column: number, position: number, result: number): void;
  /** Drops the results before a position. */
  forget(position: number): void;
};
/** Results: 0 unknown, 1 no match, else the end of the match plus 2. */
const failure = 1;

/** Memoized results of a program, in pages that are allocated on write. */
function resultTable(columns: number, reserve: (entries: number) => boolean): Results {
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
    get: (column, position) =>
      pages[position >> pageBits]?.[(column << pageBits) + (position & ((1 << pageBits) - 1))] ?? 0,
    set(column, position, result) {
      let page = pages[position >> pageBits];
      if (page === undefined) {
        if (!reserve(columns << pageBits)) throw tooLong(text);
        page = pages[position >> pageBits] = new Int32Array(columns << pageBits);
      }
      page[(column << pageBits) + (position & ((1 << pageBits) - 1))] = result;
    },
    forget(position) {
      for (; first < position >> pageBits; first++) {
        if (pages[first]) reserve(-columns << pageBits);
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
    expected: "a shorter text: the pattern needs more than 512 MiB for this one",
    fix: "split the text at line breaks before, or use a simpler pattern.",
  });
}

type CharacterTest = (code: number) => boolean;

/** Tests characters for membership in a set, with a cache. */
function characterTest(source: string): CharacterTest {
  const regex = new RegExp(`^${source}$`, "u");
  const cache = new Uint8Array(0x10000); // 0 unknown, 1 not in the set, 2 in the set
  return (code) => {
    const found = cache[code];
    if (found) return found === 2;
    const has = regex.test(String.fromCodePoint(code));
    if (code < cache.length) cache[code] = has ? 2 : 1;
    return has;
  };
}

const positionAfter = (text: string, at: number): number =>
  at >= text.length ? -1 : isInsideSurrogatePair(text, at + 1) ? at + 2 : at + 1;
const positionBefore = (text: string, at: number): number =>
  at <= 0 ? -1 : isInsideSurrogatePair(text, at - 1) ? at - 2 : at - 1;

const hasLookbehind = ({ instructions, backward }: Program): boolean =>
  backward ||
  instructions.some((instruction) => "program" in instruction && hasLookbehind(instruction.program));
