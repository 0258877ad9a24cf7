import type { PatternNode } from "./pattern-node.js";
import { mayOverlap, setBits, type SetBits } from "./set-bits.js";
import { stronglyConnected } from "./strongly-connected.js";

/** The result of {@link proveLinearTime}. */
export type LinearTimeProof = {
  /**
   * Character sets of the repetitions that the engine may backtrack into. If no run of their characters is longer than a limit, the
   * time is linear in the text: at most that limit per position.
   */
  readonly sets: readonly string[];
};

/**
 * Proves that a backtracking engine needs few steps for a pattern, or returns undefined where the proof fails.
 *
 * The proof is of the pattern's position automaton, whose states are its sets. The engine never backtracks out of a state from which
 * the match can no longer fail, so only the others count. Among them a repetition must be deterministic (sets that
 * may follow the same set have no character in common), and the number of paths through the rest must be small. Then an
 * engine tries at most that many runs from each position, and each is as long as the repetitions in it. Lookarounds
 * must end after a few steps.
 *
 * The proof is conservative: atomic groups and possessive repetitions count as plain ones, many counted copies as unbounded
 * ones.
 *
 * @see Weber and Seidl, "On the degree of ambiguity of finite automata" (1991), Theoretical Computer Science 88
 */
export function proveLinearTime(tree: PatternNode): LinearTimeProof | undefined {
  if (setCount(tree) > maxSets) return undefined;
  const automaton = positionAutomaton(tree);
  if (automaton === undefined) return undefined;
  const { sources, follow, first, canFail, lookaroundSteps } = automaton;
  const bitsBySource = new Map<string, SetBits>();
  const bits = (state: number): SetBits => {
    const source = sources[state]!;
    const known = bitsBySource.get(source) ?? setBits(source);
    bitsBySource.set(source, known);
    return known;
  };
  /** The successors among the states that can fail, and `deterministic` if no text can continue in two of them. */
  const next = (steps: ReadonlyMap<number, number>) => {
    const states = [...steps.keys()].filter((state) => canFail[state]);
    const union = new Int32Array(bits(0).length);
    let deterministic = true;
    for (const state of states) {
      if (steps.get(state)! > 1 || mayOverlap(union, bits(state))) deterministic = false;
      bits(state).forEach((word, i) => (union[i]! |= word));
    }
    return { states, deterministic };
  };
  if (sources.length === 0) return { sets: [] };
  const following = follow.map(next);
  const loops = stronglyConnected(following.map(({ states }) => states));
  const isLoop = (state: number) =>
    canFail[state] === true && following[state]!.states.some((to) => loops[to] === loops[state]);

  // Components are numbered from the last to the first, so that successors are processed before their predecessors.
  const order = sources.map((_, state) => state).sort((a, b) => loops[a]! - loops[b]!);
  /** Maximum number of runs that a text can have from a component on: `all`, and `long`, those with a repetition. */
  const runs = new Map<number, { all: number; long: number }>();
  const sumRuns = ({ states, deterministic }: ReturnType<typeof next>, inside = -1) => {
    let [sum, long] = [0, 0];
    for (const to of states) {
      if (loops[to] === inside) continue;
      const successor = runs.get(loops[to]!)!;
      sum = deterministic ? Math.max(sum, successor.all) : sum + successor.all;
      long = deterministic ? Math.max(long, successor.long) : long + successor.long;
    }
    return { all: Math.max(1, sum), long };
  };
  let max = { all: 0, long: 0 };
  const updateMax = (by: { all: number; long: number }) => {
    max = { all: Math.max(max.all, by.all), long: Math.max(max.long, by.long) };
  };
  for (const state of order) {
    const component = loops[state]!;
    const looped = isLoop(state);
    if (looped && !following[state]!.deterministic) return undefined;
    const stateRuns = sumRuns(following[state]!, looped ? component : -1);
    updateMax(stateRuns);
    if (!canFail[state]) continue;
    const known = runs.get(component) ?? { all: 1, long: 0 };
    runs.set(component, {
      all: Math.max(known.all, stateRuns.all),
      long: Math.max(known.long, stateRuns.long, looped ? 1 : 0),
    });
  }
  updateMax(sumRuns(next(first)));
  if (max.all > maxRuns || max.long * (1 + lookaroundSteps) > maxLongRuns) return undefined;
  return { sets: [...new Set(sources.filter((_, state) => isLoop(state)))] };
}

/** Maximum number of sets with counted copies, and of states. */
const maxSets = 2000;
const maxStates = 400;
/** Maximum number of runs from one position, and of those with a repetition, times the steps of the lookarounds at the position. */
const maxRuns = 500;
const maxLongRuns = 24;
/** A counted repetition with more copies is treated as unbounded. */
const maxCopies = 8;

/**
 * States are the sets of a pattern. `follow`: for each state, the states that may come next, with the number of paths to each.
 * `lookaroundSteps`: maximum number of steps of all lookarounds at one position.
 */
type Automaton = {
  readonly sources: string[];
  readonly follow: Map<number, number>[];
  readonly first: Map<number, number>;
  readonly canFail: boolean[];
  readonly lookaroundSteps: number;
};
type Fragment = { first: number[]; last: number[]; empty: boolean };

/** The position automaton (Glushkov's); undefined if it would be too large, or a lookaround has an unbounded repetition. */
function positionAutomaton(tree: PatternNode): Automaton | undefined {
  const sources: string[] = [];
  const follow: Map<number, number>[] = [];
  const canFail: boolean[] = [];
  let lookaroundSteps = 0;
  let [visits, edges] = [0, 0];
  const tooLarge = () =>
    sources.length > maxStates ||
    visits > 8 * maxStates ||
    edges > maxStates * maxStates ||
    lookaroundSteps > maxLongRuns;
  const connect = (from: readonly number[], to: readonly number[]) => {
    edges += from.length * to.length;
    if (tooLarge()) return;
    for (const a of from) for (const b of to) follow[a]!.set(b, (follow[a]!.get(b) ?? 0) + 1);
  };
  const join = (left: Fragment, right: Fragment): Fragment => {
    connect(left.last, right.first);
    return {
      first: left.empty ? [...left.first, ...right.first] : left.first,
      last: right.empty ? [...left.last, ...right.last] : right.last,
      empty: left.empty && right.empty,
    };
  };
  const emptyFragment: Fragment = { first: [], last: [], empty: true };
  /** `safe`: after the node, the match can no longer fail. */
  const visit = (node: PatternNode, safe: boolean): Fragment => {
    visits += 1;
    if (tooLarge()) return emptyFragment;
    switch (node.type) {
      case "set": {
        const state = sources.push(node.source) - 1;
        follow.push(new Map());
        canFail.push(!safe);
        return { first: [state], last: [state], empty: false };
      }
      case "assertion":
        return emptyFragment;
      case "lookaround":
        lookaroundSteps += countPaths(node.node).steps;
        return emptyFragment;
      case "atomic":
        return visit(node.node, safe);
      case "sequence": {
        const parts: Fragment[] = [];
        let restIsSafe = safe;
        for (const child of [...node.nodes].reverse()) {
          parts.push(visit(child, restIsSafe));
          restIsSafe &&= isNullable(child);
        }
        return parts.reverse().reduce(join, emptyFragment);
      }
      case "alternation": {
        const parts = node.nodes.map((child) => visit(child, safe));
        return {
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
          empty: parts.some(({ empty }) => empty),
        };
      }
      case "repetition": {
        const { min, max } = node;
        if (max === 0) return emptyFragment;
        const isUnbounded = max > maxCopies;
        const copies = isUnbounded ? 1 : max;
        let repeated = emptyFragment;
        for (let copy = copies - 1; copy >= 0; copy--) {
          const mayEnd = (isUnbounded ? min <= 1 : copy + 1 >= min) || isNullable(node.node);
          const part = visit(node.node, safe && mayEnd);
          if (isUnbounded) connect(part.last, part.first);
          // Each copy is nested in the one before: `a(a(a)?)?`.
          repeated = join(part, repeated);
          if (isUnbounded ? min === 0 : copy >= min) repeated = { ...repeated, empty: true };
        }
        return repeated;
      }
    }
  };
  const { first } = visit(tree, true);
  if (tooLarge()) return undefined;
  const firsts = new Map<number, number>();
  for (const state of first) firsts.set(state, (firsts.get(state) ?? 0) + 1);
  return { sources, follow, first: firsts, canFail, lookaroundSteps };
}

/** True for a node that matches the empty string without a lookaround or assertion (nullable). */
function isNullable(node: PatternNode): boolean {
  switch (node.type) {
    case "set":
    case "assertion":
    case "lookaround":
      return false;
    case "sequence":
      return node.nodes.every(isNullable);
    case "alternation":
      return node.nodes.some(isNullable);
    case "repetition":
      return node.min === 0 || isNullable(node.node);
    case "atomic":
      return isNullable(node.node);
  }
}

/** Number of sets of a node, including all counted copies. */
function setCount(node: PatternNode): number {
  switch (node.type) {
    case "set":
    case "assertion":
      return 1;
    case "lookaround":
    case "atomic":
      return setCount(node.node);
    case "sequence":
    case "alternation":
      return node.nodes.reduce((sum, child) => sum + setCount(child), 0);
    case "repetition":
      return setCount(node.node) * (node.max === Infinity ? Math.max(1, node.min) : node.max);
  }
}

/** Number of paths through a node, and the steps of all of them, at most: infinite for an unbounded repetition. */
function countPaths(node: PatternNode): { paths: number; steps: number } {
  switch (node.type) {
    case "set":
    case "assertion":
      return { paths: 1, steps: 1 };
    case "lookaround":
      return { paths: 1, steps: 1 + countPaths(node.node).steps };
    case "atomic":
      return countPaths(node.node);
    case "sequence":
      return node.nodes
        .map(countPaths)
        .reduce((a, b) => ({ paths: a.paths * b.paths, steps: a.steps + a.paths * b.steps }), {
          paths: 1,
          steps: 0,
        });
    case "alternation":
      return node.nodes
        .map(countPaths)
        .reduce((a, b) => ({ paths: a.paths + b.paths, steps: a.steps + b.steps }), { paths: 0, steps: 0 });
    case "repetition": {
      if (node.max === Infinity) return { paths: Infinity, steps: Infinity };
      const body = countPaths(node.node);
      let [paths, steps] = [1, 0];
      for (let copy = 0; copy < node.max; copy++) {
        steps += paths * body.steps;
        paths = copy < node.min ? paths * body.paths : 1 + paths * body.paths;
      }
      return { paths, steps };
    }
  }
}
