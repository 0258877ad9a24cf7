import type { PatternNode } from "./pattern-node.js";

/** A pattern compiled to instructions of a backtracking virtual machine. */
export type Program = {
  readonly instructions: readonly Instruction[];
  readonly entry: number;
  /** For each instruction where paths meet, the column of its memoized results; -1 for the others. */
  readonly columns: Int32Array;
  readonly columnCount: number;
  /** Matches from right to left, as lookbehinds. */
  readonly backward: boolean;
};

export type Instruction =
  | { readonly type: "accept" | "fail" }
  | { readonly type: "set" | "assertion"; readonly source: string; readonly next: number }
  /** Continues at `next`, and on failure at `other`. */
  | { readonly type: "split"; readonly next: number; readonly other: number }
  | {
      readonly type: "lookaround";
      readonly program: Program;
      readonly negative: boolean;
      readonly next: number;
    }
  /** Continues after the first match of the program, without backtracking into it: at `empty` after an empty match. */
  | { readonly type: "atomic"; readonly program: Program; readonly next: number; readonly empty: number };

/** Compiles a pattern; undefined where the program would be too large. */
export function compileProgram(tree: PatternNode): Program | undefined {
  const budget = { instructions: maxInstructions, columns: maxColumns };
  const program = compile(tree, false, budget);
  return budget.instructions < 0 || budget.columns < 0 ? undefined : program;
}

/** Maximum number of instructions of all programs of a pattern. */
const maxInstructions = 4000;
/** Maximum number of columns of all programs of a pattern. Results take four bytes per column and position of the text. */
const maxColumns = 1024;

/**
 * The instructions that follow a node. An iteration of a repetition must have characters (ECMAScript's rule, without which loops
 * would not end), so it depends on whether the innermost one has: `empty` if it has none yet, `moved` if it has.
 */
type Continuation = { readonly empty: number; readonly moved: number };

function compile(
  tree: PatternNode,
  backward: boolean,
  budget: { instructions: number; columns: number },
): Program {
  const instructions: Instruction[] = [];
  const emit = (instruction: Instruction): number => {
    budget.instructions -= 1;
    return instructions.push(instruction) - 1;
  };
  const fail = emit({ type: "fail" });

  const visit = (node: PatternNode, then: Continuation): number => {
    if (budget.instructions < 0) return fail;
    switch (node.type) {
      case "set":
        return emit({ type: "set", source: node.source, next: then.moved });
      case "assertion":
        return emit({ type: "assertion", source: node.source, next: then.empty });
      case "lookaround": {
        const program = compile(node.node, node.lookbehind, budget);
        return emit({ type: "lookaround", program, negative: node.negative, next: then.empty });
      }
      case "atomic":
        return atomic(node.node, then);
      case "sequence":
        return (backward ? node.nodes : [...node.nodes].reverse()).reduce(before, then).empty;
      case "alternation":
        return node.nodes
          .map((branch) => visit(branch, then))
          .reduceRight((other, next) => emit({ type: "split", next, other }));
      case "repetition":
        return node.mode === "possessive" ? atomic({ ...node, mode: "greedy" }, then) : repeat(node, then);
    }
  };
  const atomic = (node: PatternNode, { empty, moved }: Continuation): number =>
    emit({ type: "atomic", program: compile(node, backward, budget), next: moved, empty });

  /** The entry of a node, given what follows it. */
  const before = (then: Continuation, node: PatternNode): Continuation => {
    const moved = visit(node, { empty: then.moved, moved: then.moved });
    const same = then.empty === then.moved || !canBeEmpty(node);
    return { moved, empty: same ? moved : visit(node, then) };
  };

  const repeat = (
    { node, min, max, mode }: PatternNode & { type: "repetition" },
    then: Continuation,
  ): number => {
    const split = (body: number, exit: number): Instruction =>
      mode === "lazy"
        ? { type: "split", next: exit, other: body }
        : { type: "split", next: body, other: exit };
    /** The entry of an optional iteration, whose body is compiled. */
    const optional = (body: number, moved: number): Continuation => ({
      moved,
      empty: then.empty === then.moved ? moved : emit(split(body, then.empty)),
    });
    let next = then;
    let copies = min;
    if (max === Infinity) {
      const loop = emit({ type: "fail" }); // replaced after its body is compiled
      const body = visit(node, { empty: fail, moved: loop });
      instructions[loop] = split(body, then.moved);
      next = optional(body, loop);
      if (min > 0 && !canBeEmpty(node)) {
        next = { moved: body, empty: body };
        copies -= 1;
      }
    } else {
      for (let copy = max; copy > min && budget.instructions >= 0; copy--) {
        const body = visit(node, { empty: fail, moved: next.moved });
        next = optional(body, emit(split(body, then.moved)));
      }
    }
    for (; copies > 0 && budget.instructions >= 0; copies--) next = before(next, node);
    return next.empty;
  };

  const accept = emit({ type: "accept" });
  const entry = visit(tree, { empty: accept, moved: accept });
  const { columns, columnCount } = memoColumns(instructions, entry);
  budget.columns -= columnCount;
  return { instructions, entry, columns, columnCount, backward };
}

/** Assigns columns to the entry and to each instruction with several predecessors. If their results are memoized, no path is tried twice. */
function memoColumns(instructions: readonly Instruction[], entry: number) {
  const predecessors = new Int32Array(instructions.length);
  predecessors[entry] = 2;
  for (const instruction of instructions) {
    if ("next" in instruction) predecessors[instruction.next]! += 1;
    if (instruction.type === "split") predecessors[instruction.other]! += 1;
    if (instruction.type === "atomic") predecessors[instruction.empty]! += 1;
  }
  let columnCount = 0;
  const columns = new Int32Array(instructions.length).fill(-1);
  instructions.forEach(({ type }, i) => {
    if (predecessors[i]! > 1 && type !== "accept" && type !== "fail") columns[i] = columnCount++;
  });
  return { columns, columnCount };
}

function canBeEmpty(node: PatternNode): boolean {
  switch (node.type) {
    case "set":
      return false;
    case "assertion":
    case "lookaround":
      return true;
    case "sequence":
      return node.nodes.every(canBeEmpty);
    case "alternation":
      return node.nodes.some(canBeEmpty);
    case "repetition":
      return node.min === 0 || canBeEmpty(node.node);
    case "atomic":
      return canBeEmpty(node.node);
  }
}
