import type { Sizes } from "./contraction-order.js";
import { refuse, refuseShape } from "./refuse.js";
import type { Shape } from "./shape.js";

/**
 * A parsed equation: the labels of the axes of each operand and of the result, and the length of each label. Axes covered by
 * `...` have the labels `.1`, `.2`, … from the right. An axis of length 1 that is broadcast has the label `""`, and is ignored.
 */
export type Equation = { operands: string[][]; result: string[]; sizes: Sizes };

/**
 * Parses an einsum equation, such as `"bhtd,bhsd->bhts"`.
 *
 * @param shapes - Shape of each tensor. The number of axes that `...` covers depends on it.
 * @throws {ArgumentError} If the equation is malformed.
 * @throws {ShapeError} If a tensor does not have the axes of its term, or a letter has two lengths.
 */
export function parseEquation(equation: string, shapes: readonly Shape[]): Equation {
  const text = typeof equation === "string" ? equation.replaceAll(/\s/g, "") : "";
  const [left = "", right, ...more] = text.split("->");
  const terms = left.split(",");
  const isValid = [...terms, right ?? ""].every((term) => /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(term));
  if (typeof equation !== "string" || more.length > 0 || !isValid) {
    refuseEquation(
      equation,
      'letters, "...", "," between operands and one "->"',
      'write it like "ij,jk->ik".',
    );
  }
  if (terms.length !== shapes.length) {
    refuseEquation(
      equation,
      `an operand for each of the ${shapes.length} tensors`,
      `it names ${terms.length}: separate operands with ",".`,
    );
  }
  const operands = terms.map((term, i) => axisLabels(term, shapes[i]!.length, i));
  const sizes = labelSizes(operands, shapes);
  const parsed = {
    operands: operands.map((labels, i) =>
      labels.map((label, axis) => (shapes[i]![axis] === sizes.get(label) ? label : "")),
    ),
    sizes,
  };
  // `...` in the result covers as many axes as in the operand where it covers most.
  const ellipsisLength = [...new Set(operands.flat())].filter((label) => label.startsWith(".")).length;
  const ellipsis = ellipsisLabels(ellipsisLength);
  if (right === undefined) {
    const all = operands.flat();
    const single = all.filter(
      (label) => !label.startsWith(".") && all.indexOf(label) === all.lastIndexOf(label),
    );
    return { ...parsed, result: [...ellipsis, ...single.sort()] };
  }
  const [before, after] = splitAtEllipsis(right);
  const result = [...before, ...(after === undefined ? [] : [...ellipsis, ...after])];
  const wrong = result.find(
    (label, i) => result.indexOf(label) < i || !operands.some((labels) => labels.includes(label)),
  );
  if (wrong === undefined) return { ...parsed, result };
  refuseEquation(
    equation,
    `a result that names "${wrong}" once, and only letters of the operands`,
    "each axis of the result is one axis of the operands.",
  );
}

/** The length of each label. Axes of length 1 are broadcast. */
function labelSizes(operands: readonly (readonly string[])[], shapes: readonly Shape[]): Sizes {
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

/** The labels of all axes of operand `index`, whose rank decides how many axes `...` covers. */
function axisLabels(term: string, rank: number, index: number): string[] {
  const [before, after] = splitAtEllipsis(term);
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
  return [...before, ...(after === undefined ? [] : [...ellipsisLabels(rank - named), ...after])];
}

/** Labels of the axes that `...` covers: `.1` is the rightmost. */
function ellipsisLabels(length: number): string[] {
  return Array.from({ length }, (_, n) => `.${length - n}`);
}

/** The letters before and after `...`; the second list is undefined if the term has no `...`. */
function splitAtEllipsis(term: string): [before: string[], after: string[] | undefined] {
  const [before = "", after] = term.split("...");
  return [[...before], after === undefined ? undefined : [...after]];
}

function refuseEquation(equation: unknown, expected: string, fix: string): never {
  refuse("einsum", "equation", equation, expected, fix);
}
