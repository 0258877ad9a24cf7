import { FormatError } from "@qkv/core";
import type { PatternNode } from "./pattern-node.js";

/**
 * Refuses a pattern on which a backtracking engine can take exponential time, or more than quadratic, such as
 * `(a+)+b`, `(a|a)*b`, `a*a*a*b` and `(.*a){9}`.
 *
 * The pattern becomes an automaton whose states are its sets. Exponential: one loop that some text can go round in
 * two ways. Cubic or more: three loops, each joined to the next by a text that goes round in both.
 *
 * @see Weber and Seidl, "On the degree of ambiguity of finite automata" (1991), Theoretical Computer Science 88
 */
export function checkCost(tree: PatternNode, pattern: string, field: string): void {
  const refuse: Refuse = (why) => {
    throw new FormatError({
      fn: "pattern",
      argument: field,
      received: pattern,
      expected: `a pattern without ${why}`,
      fix: "make the repeated parts begin with different characters; or split the text by a function: `defineSplit`.",
    });
  };
  const automaton = build(tree, refuse);
  if (automaton.sets.length > maxStates) refuse(`more than ${maxStates} sets`);
  const kinds = automaton.sets.map(charactersOf);
  const meets = (a: number, b: number) => kinds[a]!.some((bits, i) => (bits & kinds[b]![i]!) !== 0);
  const loops = components(automaton.sets.length, (state) => automaton.follow[state]!.keys());

  // Two ways by the same sets: the same step, written twice in one loop.
  for (const [from, steps] of automaton.follow.entries()) {
    for (const [to, ways] of steps) {
      if (ways > 1 && loops[from] === loops[to]) refuse("a repetition inside a repetition of the same text");
    }
  }
  // Two ways by different sets: a pair of equal states and a pair of different ones in one loop of pairs.
  const size = automaton.sets.length;
  const pairs = components(size * size, function* (pair) {
    const [a, b] = [Math.floor(pair / size), pair % size];
    if (loops[a] !== loops[b] || !meets(a, b)) return;
    for (const nextA of automaton.follow[a]!.keys()) {
      if (loops[nextA] !== loops[a]) continue;
      for (const nextB of automaton.follow[b]!.keys()) {
        if (loops[nextB] === loops[b] && meets(nextA, nextB)) yield nextA * size + nextB;
      }
    }
  });
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      if (a !== b && pairs[a * size + b] === pairs[a * size + a])
        refuse("a loop that one text passes in two ways");
    }
  }
  checkChains(automaton, loops, kinds, refuse);
  checkPaths(automaton, loops, kinds, refuse);
}

/**
 * Refuses three loops of which each is joined to the next: some text goes round in the one, round in the other, and from
 * one to the other.
 */
function checkChains(
  automaton: Automaton,
  loops: Int32Array,
  kinds: readonly Int32Array[],
  refuse: Refuse,
): void {
  const { follow } = automaton;
  const inLoop = follow.flatMap((steps, state) =>
    [...steps.keys()].some((to) => loops[to] === loops[state]) ? [state] : [],
  );
  const meet = (a: number, b: number, c: number) =>
    kinds[a]!.some((bits, i) => (bits & kinds[b]![i]! & kinds[c]![i]!) !== 0);
  let work = 0;
  const joined = (p: number, q: number): boolean => {
    const seen = new Set<string>();
    const open: (readonly [number, number, number])[] = [[p, p, q]];
    for (let now = open.pop(); now; now = open.pop()) {
      for (const x of follow[now[0]]!.keys()) {
        if (loops[x] !== loops[p]) continue;
        for (const z of follow[now[2]]!.keys()) {
          if (loops[z] !== loops[q]) continue;
          for (const y of follow[now[1]]!.keys()) {
            if ((work += 1) > maxComparisons) refuse("so many sets in repetitions");
            const key = `${x} ${y} ${z}`;
            if (seen.has(key) || !meet(x, y, z)) continue;
            if (x === p && y === q && z === q) return true;
            seen.add(key);
            open.push([x, y, z]);
          }
        }
      }
    }
    return false;
  };
  const next = new Map<number, Set<number>>();
  for (const p of inLoop) {
    for (const q of inLoop) {
      const [from, to] = [loops[p]!, loops[q]!];
      if (from === to || next.get(from)?.has(to) || !joined(p, q)) continue;
      next.set(from, (next.get(from) ?? new Set()).add(to));
    }
  }
  for (const seconds of next.values())
    for (const second of seconds)
      if (next.has(second)) refuse("three repetitions of the same characters in a row");
}

/** Refuses parts that are there or not, so many that one text passes them in thousands of ways: `a?a?a?…`. */
function checkPaths(
  automaton: Automaton,
  loops: Int32Array,
  kinds: readonly Int32Array[],
  refuse: Refuse,
): void {
  const { follow } = automaton;
  for (let sample = 0; sample < samples.length; sample++) {
    const has = (state: number) => ((kinds[state]![sample >> 5]! >> (sample & 31)) & 1) === 1;
    const ways = new Map<number, number>();
    const waysFrom = (state: number): number => {
      const known = ways.get(state);
      if (known !== undefined) return known;
      let sum = 1;
      for (const [to, count] of follow[state]!)
        if (loops[to] !== loops[state] && has(to)) sum += count * waysFrom(to);
      ways.set(state, sum);
      return sum;
    };
    if (follow.some((_, state) => has(state) && waysFrom(state) > maxWays))
      refuse(`parts that one text passes in more than ${maxWays} ways`);
  }
}

type Refuse = (why: string) => never;
const maxComparisons = 300_000;
const maxWays = 10_000;
/** A counted repetition of more is taken for one without end. */
const mostCopies = 8;

const maxStates = 400;

/** States are the sets of the pattern; `follow` says which may come next, and in how many ways. */
type Automaton = { sets: string[]; follow: Map<number, number>[] };
type Part = { first: number[]; last: number[]; empty: boolean };

function build(tree: PatternNode, refuse: Refuse): Automaton {
  const sets: string[] = [];
  const follow: Map<number, number>[] = [];
  const connect = (from: readonly number[], to: readonly number[]) => {
    for (const a of from) for (const b of to) follow[a]!.set(b, (follow[a]!.get(b) ?? 0) + 1);
  };
  const join = (parts: readonly Part[]): Part =>
    parts.reduce(
      (left, right) => {
        connect(left.last, right.first);
        return {
          first: left.empty ? [...left.first, ...right.first] : left.first,
          last: right.empty ? [...left.last, ...right.last] : right.last,
          empty: left.empty && right.empty,
        };
      },
      { first: [], last: [], empty: true },
    );
  const visit = (node: PatternNode): Part => {
    switch (node.type) {
      case "set": {
        sets.push(node.source);
        follow.push(new Map());
        const state = sets.length - 1;
        return { first: [state], last: [state], empty: false };
      }
      case "place":
        return { first: [], last: [], empty: true };
      case "look":
        visit(node.node); // has its own loops, and stands beside the text
        return { first: [], last: [], empty: true };
      case "atomic":
        return visit(node.node);
      case "sequence":
        return join(node.nodes.map(visit));
      case "choice": {
        const parts = node.nodes.map(visit);
        return {
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
          empty: parts.some(({ empty }) => empty),
        };
      }
      case "repeat": {
        const endless = node.max > mostCopies || (node.max > 1 && repeats(node.node));
        // A few copies of a counted repetition say enough.
        const copies = endless ? Math.max(1, Math.min(node.min, 2)) : Math.min(node.max, mostCopies);
        const parts = Array.from({ length: copies }, (): Part => {
          const part = visit(node.node);
          if (part.empty && node.max > 1 && (node.max !== Infinity || node.min > 1))
            refuse("a counted repetition of what may be empty");
          return part;
        });
        // Each copy stands inside of the one before, so that without one there are none behind it: `a(a(a)?)?`.
        const joined = parts.reduceRight<Part>(
          (behind, part, copy) => {
            const whole = join([part, behind]);
            return copy < node.min ? whole : { ...whole, empty: true };
          },
          { first: [], last: [], empty: true },
        );
        const end = parts.at(-1) ?? joined;
        if (endless && node.mode !== "possessive") connect(end.last, end.first);
        return joined;
      }
    }
  };
  visit(tree);
  return { sets, follow };
}

/** Whether something in it is repeated. */
function repeats(node: PatternNode): boolean {
  switch (node.type) {
    case "repeat":
      return node.max > 1 || repeats(node.node);
    case "sequence":
    case "choice":
      return node.nodes.some(repeats);
    case "look":
    case "atomic":
      return repeats(node.node);
    case "set":
    case "place":
      return false;
  }
}

/** Which of some characters of every kind a set has, as bits. */
function charactersOf(set: string): Int32Array {
  const test = new RegExp(`^${set}$`, "u");
  const bits = new Int32Array(Math.ceil(samples.length / 32));
  samples.forEach((character, i) => {
    if (test.test(character)) bits[i >> 5]! |= 1 << (i & 31);
  });
  return bits;
}

const samples: readonly string[] = /* @__PURE__ */ sampleCharacters();

function sampleCharacters(): string[] {
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  const others =
    "\u0085\u00A0\u00AD\u00B2\u00B5éßſƼǅʰ\u0301ͶΩЖאا٣क\u0903ก가一あアㄅ々Ⅷ€…“—、。！Ａ\u200B\u200D\u2028\u3000\uFEFF\uFFFD𝒜𝟙😀🏽\u{E0100}\u{20000}";
  return [...ascii, ...others];
}

/** For each state the number of its strongly connected component (Tarjan's algorithm, without recursion). */
function components(size: number, next: (state: number) => Iterable<number>): Int32Array {
  const component = new Int32Array(size).fill(-1);
  const index = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const stack: number[] = [];
  let [counter, found] = [0, 0];
  for (let root = 0; root < size; root++) {
    if (index[root] !== -1) continue;
    const work: { state: number; steps: Iterator<number> }[] = [];
    const enter = (state: number) => {
      index[state] = low[state] = counter++;
      stack.push(state);
      work.push({ state, steps: next(state)[Symbol.iterator]() });
    };
    enter(root);
    while (work.length > 0) {
      const { state, steps } = work.at(-1)!;
      const step = steps.next();
      if (!step.done) {
        const to = step.value;
        if (index[to] === -1) enter(to);
        else if (component[to] === -1) low[state] = Math.min(low[state]!, index[to]!);
        continue;
      }
      work.pop();
      const parent = work.at(-1)?.state;
      if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[state]!);
      if (low[state] !== index[state]) continue;
      for (let member = -1; member !== state; component[member] = found) member = stack.pop()!;
      found += 1;
    }
  }
  return component;
}
