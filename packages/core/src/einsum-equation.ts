import type { Sizes } from "./contraction-order.js";
import { refuse, refuseShape } from "./refuse.js";
import type { Shape } from "./shape.js";

/**
 * A label for each axis, and the length of each label. Axes under `...` are labelled `.1`, `.2`, … from the right. An
 * axis of length 1 that is broadcast gets the label `""`, and is ignored.
 */
export type Equation = { operands: string[][]; result: string[]; sizes: Sizes };

/**
 * Reads an equation of einsum.
 *
 * @param shapes - The shape of each tensor, which `...` depends on.
 * @throws {ArgumentError} If the equation cannot be read.
 * @throws {ShapeError} If a tensor does not have the axes written, or a letter has two lengths.
 */
export function parseEquation(equation: string, shapes: readonly Shape[]): Equation {
  const text = typeof equation === "string" ? equation.replaceAll(/\s/g, "") : "";
  const [left = "", right, ...more] = text.split("->");
  const written = left.split(",");
  const readable = [...written, right ?? ""].every((term) => /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term));
  if (typeof equation !== "string" || more.length > 0 || !readable) {
    unreadable(equation, 'letters, "...", "," between operands and one "->"', 'write it like "ij,jk->ik".');
  }
  if (written.length !== shapes.length) {
    unreadable(
      equation,
      `an operand for each of the ${shapes.length} tensors`,
      `it names ${written.length}: separate operands with ",".`,
    );
  }
  const operands = written.map((term, i) => labelsOf(term, shapes[i]!.length, i));
  const sizes = sizesOf(operands, shapes);
  const read = {
    operands: operands.map((labels, i) =>
      labels.map((label, axis) => (shapes[i]![axis] === sizes.get(label) ? label : "")),
    ),
    sizes,
  };
  // As many axes under the result's `...` as under the longest of the operands.
  const dots = [...new Set(operands.flat())].filter((label) => label.startsWith(".")).length;
  const shared = Array.from({ length: dots }, (_, n) => `.${dots - n}`);
  if (right === undefined) {
    const all = operands.flat();
    const single = all.filter(
      (label) => !label.startsWith(".") && all.indexOf(label) === all.lastIndexOf(label),
    );
    return { ...read, result: [...shared, ...single.sort()] };
  }
  const [before, after] = halves(right);
  const result = [...before, ...(after === undefined ? [] : [...shared, ...after])];
  const wrong = result.find(
    (label, i) => result.indexOf(label) < i || !operands.some((own) => own.includes(label)),
  );
  if (wrong === undefined) return { ...read, result };
  unreadable(
    equation,
    `a result that names "${wrong}" once, and only letters of the operands`,
    "each axis of the result is one axis of the operands.",
  );
}

/** The length of each label. A length of 1 repeats. */
function sizesOf(operands: readonly (readonly string[])[], shapes: readonly Shape[]): Sizes {
  const sizes = new Map<string, number>([["", 1]]);
  operands.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const length = shapes[i]![axis]!;
      const known = sizes.get(label) ?? 1;
      if (known !== length && known !== 1 && length !== 1) {
        refuseShape(
          "einsum",
          `tensors[${i}]`,
          shapes[i]!,
          `length ${known} at axis ${axis}, "${label}", as before`,
          "a letter stands for one length wherever it is written; use another letter for another axis.",
        );
      }
      sizes.set(label, known === 1 ? length : known);
    });
  });
  return sizes;
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

function unreadable(equation: unknown, expected: string, fix: string): never {
  refuse("einsum", "equation", equation, expected, fix);
}
