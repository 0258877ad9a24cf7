import { checkSameType, refuseShape, sizeOf } from "@qkv/core";
import { cheapestPairs, type Sizes } from "../contraction-order.js";
import { parseEquation } from "../einsum-equation.js";
import { checkTensor, run } from "../op.js";
import type { Tensor } from "../tensor.js";
import { diagonalOp } from "./diagonal.js";
import { matmul } from "./matmul.js";
import { mul } from "./mul.js";
import { permuteOp } from "./permute.js";
import { reshaped } from "./reshape.js";
import { sumOp } from "./sum.js";

/** A tensor whose axes have labels, each once. */
type Labelled = { readonly x: Tensor; readonly labels: readonly string[] };

/**
 * Sums of products, written with a letter for each axis: `"ij,jk->ik"` is a matrix product. Letters that the result
 * does not name are summed over; a letter twice in one operand takes the diagonal; `...` stands for axes without
 * letters, which are matched from the right and repeat where they are 1. Without `->`, the result has the axes of
 * `...` and then, in alphabetical order, the letters that occur once.
 *
 * Operands are taken together two at a time, in the order of the fewest multiplications (for up to five operands; of
 * more, the cheapest pair first), as batched matrix products.
 *
 * @param equation - Letters, `...`, `,` between operands and `->` before the result; spaces count for nothing.
 * @param tensors - One for each operand of the equation, all of one type.
 * @throws {ArgumentError} If the equation cannot be read.
 * @throws {ShapeError} If a tensor does not have the axes written, or a letter has two lengths.
 *
 * @example
 * ```ts
 * import { einsum, tensor } from "@qkv/tensor";
 *
 * const a = tensor([[1, 2], [3, 4]]);
 * einsum("ij,jk->ik", a, a).toNested(); // => [[7, 10], [15, 22]]
 * einsum("ii", a).toNested(); // => 5
 * ```
 */
export function einsum(equation: string, ...tensors: Tensor[]): Tensor {
  tensors.forEach((x, i) => checkTensor("einsum", `tensors[${i}]`, x));
  const { operands, result } = parseEquation(
    equation,
    tensors.map((x) => x.shape.length),
  );
  tensors.forEach(({ dtype }, i) => {
    checkSameType("einsum", `tensors[${i}]`, dtype, tensors[0]!.dtype, "the first");
  });
  const sizes = sizesOf(operands, tensors);
  let terms = tensors.map((x, i) => simplify(x, operands[i]!, sizes));
  const pairs = cheapestPairs(
    terms.map(({ labels }) => labels),
    result,
    sizes,
  );
  for (const [i, j] of pairs) {
    const others = terms.filter((_, n) => n !== i && n !== j);
    const needed = new Set([...result, ...others.flatMap(({ labels }) => labels)]);
    terms = [...others, contract(terms[i]!, terms[j]!, needed, sizes)];
  }
  const { x, labels } = keep(terms[0]!, new Set(result));
  return order(x, labels, result);
}

/** The length of each letter. A length of 1 repeats. */
function sizesOf(operands: readonly (readonly string[])[], tensors: readonly Tensor[]): Sizes {
  const sizes = new Map<string, number>();
  operands.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const length = tensors[i]!.shape[axis]!;
      const known = sizes.get(label) ?? 1;
      if (known !== length && known !== 1 && length !== 1) {
        refuseShape(
          "einsum",
          `tensors[${i}]`,
          tensors[i]!.shape,
          `length ${known} at axis ${axis}, "${label}", as before`,
          "a letter stands for one length wherever it is written; use another letter for another axis.",
        );
      }
      sizes.set(label, known === 1 ? length : known);
    });
  });
  return sizes;
}

/** One axis for each label: diagonals taken, and axes of length 1 that repeat left out. */
function simplify(x: Tensor, given: readonly string[], sizes: Sizes): Labelled {
  const kept = given.flatMap((label, axis) => (x.shape[axis] === sizes.get(label) ? [axis] : []));
  let labels = kept.map((axis) => given[axis]!);
  if (kept.length < given.length) {
    x = reshaped(
      x,
      kept.map((axis) => x.shape[axis]!),
    );
  }
  for (;;) {
    const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis);
    if (second < 0) return { x, labels };
    const first = labels.indexOf(labels[second]!);
    x = run(diagonalOp, [x], { axes: [first, second] });
    labels = [...labels.filter((_, axis) => axis !== first && axis !== second), labels[second]!];
  }
}

/** Sums over the labels that nobody needs any more. */
function keep({ x, labels }: Labelled, needed: ReadonlySet<string>): Labelled {
  const axis = labels.flatMap((label, i) => (needed.has(label) ? [] : [i]));
  if (axis.length === 0) return { x, labels };
  return {
    x: run(sumOp, [x], { axes: axis, keepDims: false }),
    labels: labels.filter((label) => needed.has(label)),
  };
}

/** The product of two operands, summed over what only they have: one batched matrix product. */
function contract(a: Labelled, b: Labelled, needed: ReadonlySet<string>, sizes: Sizes): Labelled {
  const left = keep(a, new Set([...needed, ...b.labels]));
  const right = keep(b, new Set([...needed, ...a.labels]));
  const shared = left.labels.filter((label) => right.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const inner = shared.filter((label) => !needed.has(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const lengths = (labels: readonly string[]) => labels.map((label) => sizes.get(label)!);
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    const wide = order(left.x, left.labels, [...batch, ...rows]);
    const ones = columns.map(() => 1);
    const other = order(right.x, right.labels, [...batch, ...columns]);
    const spread = reshaped(other, [...lengths(batch), ...rows.map(() => 1), ...lengths(columns)]);
    return { x: mul(reshaped(wide, [...wide.shape, ...ones]), spread), labels };
  }
  const product = matmul(
    group(left, batch, [rows, inner], sizes),
    group(right, batch, [inner, columns], sizes),
  );
  return { x: reshaped(product, lengths(labels)), labels };
}

/** As a batch of matrices: the axes of each group as one. No copy where a group is one axis already. */
function group(
  { x, labels }: Labelled,
  batch: readonly string[],
  groups: readonly string[][],
  sizes: Sizes,
): Tensor {
  const ordered = order(x, labels, [...batch, ...groups.flat()]);
  if (groups.every(({ length }) => length === 1)) return ordered;
  const lengths = (own: readonly string[]) => own.map((label) => sizes.get(label)!);
  return reshaped(ordered, [...lengths(batch), ...groups.map((own) => sizeOf(lengths(own)))]);
}

function order(x: Tensor, labels: readonly string[], wanted: readonly string[]): Tensor {
  const axes = wanted.map((label) => labels.indexOf(label));
  return axes.every((axis, i) => axis === i) ? x : run(permuteOp, [x], { axes });
}
