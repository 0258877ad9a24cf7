import { ArgumentError, refuseShape } from "@qkv/core";

/** A label for each axis. Axes under `...` are labelled `.1`, `.2`, … from the right. */
export type Equation = { operands: string[][]; result: string[] };

/**
 * Reads an equation of einsum.
 *
 * @param ranks - The number of axes of each tensor, which `...` depends on.
 */
export function parseEquation(equation: string, ranks: readonly number[]): Equation {
  const text = typeof equation === "string" ? equation.replaceAll(/\s/g, "") : "";
  const [left = "", right, ...more] = text.split("->");
  const written = left.split(",");
  const readable = [...written, right ?? ""].every((term) => /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term));
  if (typeof equation !== "string" || more.length > 0 || !readable) {
    throw unreadable(
      equation,
      'letters, "...", "," between operands and one "->"',
      'write it like "ij,jk->ik".',
    );
  }
  if (written.length !== ranks.length) {
    throw unreadable(
      equation,
      `an operand for each of the ${ranks.length} tensors`,
      `it names ${written.length}: separate operands with ",".`,
    );
  }
  const operands = written.map((term, i) => labelsOf(term, ranks[i]!, i));
  // As many axes under the result's `...` as under the longest of the operands.
  const dots = [...new Set(operands.flat())].filter((label) => label.startsWith(".")).length;
  const shared = Array.from({ length: dots }, (_, n) => `.${dots - n}`);
  if (right === undefined) {
    const all = operands.flat();
    const single = all.filter(
      (label) => !label.startsWith(".") && all.indexOf(label) === all.lastIndexOf(label),
    );
    return { operands, result: [...shared, ...single.sort()] };
  }
  const [before, after] = halves(right);
  const result = [...before, ...(after === undefined ? [] : [...shared, ...after])];
  const wrong = result.find(
    (label, i) => result.indexOf(label) < i || !operands.some((own) => own.includes(label)),
  );
  if (wrong === undefined) return { operands, result };
  throw unreadable(
    equation,
    `a result that names "${wrong}" once, and only letters of the operands`,
    "each axis of the result is one axis of the operands.",
  );
}

function labelsOf(term: string, rank: number, index: number): string[] {
  const [before, after] = halves(term);
  const named = before.length + (after?.length ?? 0);
  if (after === undefined ? rank !== named : rank < named) {
    refuseShape(
      "einsum",
      `tensors[${index}]`,
      `${rank} axes`,
      `${after === undefined ? "" : "at least "}${named}, as "${term}" is written`,
      'write a letter for each axis, or "..." for those without one.',
    );
  }
  const dots = Array.from({ length: rank - named }, (_, n) => `.${rank - named - n}`);
  return [...before, ...(after === undefined ? [] : [...dots, ...after])];
}

/** The letters before and after `...`; no second half where there is no `...`. */
function halves(term: string): [before: string[], after: string[] | undefined] {
  const [before = "", after] = term.split("...");
  return [[...before], after === undefined ? undefined : [...after]];
}

function unreadable(equation: unknown, expected: string, fix: string): ArgumentError {
  return new ArgumentError({ fn: "einsum", argument: "equation", received: equation, expected, fix });
}
