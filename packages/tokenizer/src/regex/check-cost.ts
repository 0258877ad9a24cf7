import { FormatError } from "@qkv/core";
import type { PatternNode } from "./pattern-node.js";

/**
 * Refuses a pattern on which a backtracking engine can take exponential time, or more than quadratic, such as
 * `(a+)+b`, `(a|a)*b` and `a*a*a*b`.
 *
 * The pattern becomes an automaton whose states are its sets. Exponential: one loop that some text can go round in
 * two ways. Cubic or more: three loops in a row that one character can go round.
 *
 * @see Weber and Seidl, "On the degree of ambiguity of finite automata" (1991), Theoretical Computer Science 88
 */
export function checkCost(tree: PatternNode, pattern: string, field: string): void {
  const automaton = build(tree);
  const refuse = (why: string): never => {
    throw new FormatError({
      fn: "pattern",
      argument: field,
      received: pattern,
      expected: `a pattern without ${why}`,
      fix: "make the repeated parts begin with different characters; or split the text by a function: `defineSplit`.",
    });
  };
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
  const looping = automaton.sets.flatMap((_, state) => (automaton.follow[state]!.has(state) ? [state] : []));
  for (const first of looping) {
    for (const second of looping) {
      if (loops[second] === loops[first] || !automaton.follow[first]!.has(second) || !meets(first, second))
        continue;
      for (const third of looping) {
        if (loops[third] === loops[second] || !automaton.follow[second]!.has(third)) continue;
        if (kinds[first]!.some((bits, i) => (bits & kinds[second]![i]! & kinds[third]![i]!) !== 0)) {
          refuse("three repetitions of the same characters in a row");
        }
      }
    }
  }
}

const maxStates = 400;

/** States are the sets of the pattern; `follow` says which may come next, and in how many ways. */
type Automaton = { sets: string[]; follow: Map<number, number>[] };
type Part = { first: number[]; last: number[]; empty: boolean };

function build(tree: PatternNode): Automaton {
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
        // A few copies of a counted repetition say enough: they make no loop.
        const copies = node.max === Infinity ? Math.max(1, Math.min(node.min, 2)) : Math.min(node.max, 3);
        const parts = Array.from({ length: copies }, (_, copy): Part => {
          const part = visit(node.node);
          return copy < node.min ? part : { ...part, empty: true };
        });
        if (parts.length === 0) return { first: [], last: [], empty: true };
        const joined = join(parts);
        const end = parts.at(-1)!;
        if (node.max === Infinity && node.mode !== "possessive") connect(end.last, end.first);
        return joined;
      }
    }
  };
  visit(tree);
  return { sets, follow };
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
