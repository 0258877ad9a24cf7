import {
  checkNotBool,
  checkSameType,
  cheapestPairs,
  copyStrided,
  eachBroadcastRow,
  parseEquation,
  type Sizes,
  sizeOf,
  stridesOf,
} from "@qkv/core";
import { matrixProduct } from "../matrix-product.js";
import { checkTensor, record, run, type Op } from "../op.js";
import { Tensor } from "../tensor.js";
import { contiguous } from "./contiguous.js";
import { mulRow } from "./mul.js";
import { sumTo } from "./sum-to.js";

type Labels = readonly string[];

/** A tensor whose axes have labels. Axes of one label are read along their diagonal. */
type Labelled = { readonly x: Tensor; readonly labels: Labels };

/**
 * Sums of products, written with a letter for each axis: `"ij,jk->ik"` is a matrix product. Letters that the result
 * does not name are summed over; a letter twice in one operand takes the diagonal; `...` stands for axes without
 * letters, which are matched from the right and repeat where they are 1. Without `->`, the result has the axes of
 * `...` and then, in alphabetical order, the letters that occur once.
 *
 * Operands are contracted in pairs, as batched matrix products, in the order with the fewest multiplications (for more than five
 * operands, the cheapest pair first).
 *
 * @param equation - Letters, `...`, `,` between operands and `->` before the result; spaces are ignored.
 * @param tensors - One for each operand of the equation, all of one type.
 * @throws {ArgumentError} If the equation cannot be read.
 * @throws {ShapeError} If the axes of a tensor do not match its letters, or a letter has two lengths.
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
  const { operands, result, sizes } = parseEquation(
    equation,
    tensors.map((x, i) => checkTensor("einsum", `tensors[${i}]`, x).shape),
  );
  let terms = tensors.map((x, i): Labelled => {
    checkNotBool("einsum", `tensors[${i}]`, x.dtype);
    checkSameType("einsum", `tensors[${i}]`, x.dtype, tensors[0]!.dtype, "the first");
    return { x, labels: operands[i]! };
  });
  for (const [i, j] of cheapestPairs(operands, result, sizes)) {
    const others = terms.filter((_, n) => n !== i && n !== j);
    const needed = new Set([...result, ...others.flatMap(({ labels }) => labels)]);
    terms = [...others, multiply(terms[i]!, terms[j]!, needed, sizes)];
  }
  return arrange(terms[0]!, result, sizes);
}

/**
 * Ops that record the gradients of the two steps below, whose own tensor operations no tape records: the gradient of an arrangement
 * is the inverse arrangement, that of a product is the product of the other operand with the incoming gradient.
 */
const arrangeOp: Op<{ from: Labels; to: Labels; sizes: Sizes }> = {
  name: "arrange",
  infer: () => [],
  backward: ({ gradients: [dy], attributes: { from, to, sizes } }) => [
    arrange({ x: dy!, labels: to }, from, sizes),
  ],
};
const multiplyOp: Op<{ left: Labels; right: Labels; to: Labels; sizes: Sizes }> = {
  name: "mul",
  infer: ([a]) => [a!],
  // Multiplies two views with the same axes, elementwise: no axis is summed.
  kernel([a, b], [out]) {
    eachBroadcastRow(out!.shape, [out!, a!, b!], (at, step, length) =>
      mulRow(out!.array, at[0]!, a!.array, at[1]!, step[1]!, b!.array, at[2]!, step[2]!, length),
    );
  },
  backward({ inputs: [a, b], gradients: [dy], attributes: { left, right, to, sizes }, wants }) {
    const gradientOf = (labels: Labels, other: Labelled) =>
      arrange(multiply({ x: dy!, labels: to }, other, new Set(labels), sizes), labels, sizes);
    return [
      wants(0) ? gradientOf(left, { x: b!, labels: right }) : undefined,
      wants(1) ? gradientOf(right, { x: a!, labels: left }) : undefined,
    ];
  },
};

/** Puts numbers on the diagonal of axes with the same label, with zeros elsewhere. */
const placeOp: Op<{ labels: Labels; to: Labels; sizes: Sizes }> = {
  name: "place",
  dataMovement: true,
  infer: ([x], { to, sizes }) => [{ shape: lengths(to, sizes), dtype: x!.dtype }],
  kernel([x], [out], { labels, to }) {
    copyStrided(x!, { ...out!, strides: stridesAlong(labels, to, out!.strides) });
  },
};

/** Permutes the axes to the labels `to`: sums over missing labels, and repeats along new ones. */
function arrange({ x, labels: from }: Labelled, to: Labels, sizes: Sizes): Tensor {
  if (from.join() === to.join()) return x;
  const [before, after] = [[...new Set(from)], [...new Set(to)]];
  const whole = along({ x, labels: from }, before, sizes);
  const reducedShape = before.map((label) => (to.includes(label) ? sizes.get(label)! : 1));
  let y = along({ x: sumTo(whole, reducedShape), labels: before }, after, sizes);
  if (after.length < to.length) y = run(placeOp, [y], { labels: after, to, sizes });
  record(arrangeOp as Op<never>, [x], [y], { from, to, sizes });
  return y;
}

/** Reduces an operand to the needed labels, each once. */
function reduceToNeeded(operand: Labelled, needed: ReadonlySet<string>, sizes: Sizes): Labelled {
  const labels = [...new Set(operand.labels)].filter((label) => needed.has(label));
  return { x: arrange(operand, labels, sizes), labels };
}

/** Contracts two operands over the labels that only they have, as a batched matrix product. */
function multiply(a: Labelled, b: Labelled, needed: ReadonlySet<string>, sizes: Sizes): Labelled {
  const left = reduceToNeeded(a, new Set([...needed, ...b.labels]), sizes);
  const right = reduceToNeeded(b, new Set([...needed, ...a.labels]), sizes);
  const shared = left.labels.filter((label) => right.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const inner = shared.filter((label) => !needed.has(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const to = [...batch, ...rows, ...columns];
  const attributes = { left: left.labels, right: right.labels, to, sizes };
  const { device, storage } =
    inner.length === 0
      ? run(multiplyOp, [along(left, to, sizes), along(right, to, sizes)], attributes)
      : run(
          matrixProduct,
          [group(left, batch, [rows, inner], sizes), group(right, batch, [inner, columns], sizes)],
          undefined,
        );
  const x = new Tensor(device, storage, lengths(to, sizes));
  record(multiplyOp as Op<never>, [left.x, right.x], [x], attributes);
  return { x, labels: to };
}

/** Reshapes an operand to a batch of matrices: the axes of each group become one. */
function group(operand: Labelled, batch: Labels, groups: readonly Labels[], sizes: Sizes): Tensor {
  const x = along(operand, [...batch, ...groups.flat()], sizes);
  if (groups.every(({ length }) => length === 1)) return x;
  const { device, storage, offset } = contiguous(x);
  const shape = [...lengths(batch, sizes), ...groups.map((labels) => sizeOf(lengths(labels, sizes)))];
  return new Tensor(device, storage, shape, { strides: stridesOf(shape), offset });
}

/** A view with an axis for each of these labels, repeated along labels that x does not have. No tape records it. */
function along({ x, labels }: Labelled, to: Labels, sizes: Sizes): Tensor {
  const strides = stridesAlong(to, labels, x.strides);
  return new Tensor(x.device, x.storage, lengths(to, sizes), { strides, offset: x.offset });
}

/** Strides of the wanted labels in a tensor with `labels`; repeated labels are read along the diagonal. */
function stridesAlong(to: Labels, labels: Labels, strides: readonly number[]): number[] {
  return to.map((label) =>
    strides.reduce((sum, stride, axis) => sum + (labels[axis] === label ? stride : 0), 0),
  );
}

function lengths(labels: Labels, sizes: Sizes): number[] {
  return labels.map((label) => sizes.get(label)!);
}
