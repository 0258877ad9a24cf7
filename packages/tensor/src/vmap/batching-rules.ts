import { sizeOf, type Shape } from "@qkv/core";
import { type RanOp, run, runAll, type Op } from "../op.js";
import { addOp } from "../ops/add.js";
import { broadcastToOp } from "../ops/broadcast-to.js";
import { contiguous } from "../ops/contiguous.js";
import { product } from "../ops/matmul.js";
import { permuteOp } from "../ops/permute.js";
import { reshaped } from "../ops/reshape.js";
import { sumTo } from "../ops/sum-to.js";
import { transposed } from "../ops/transpose.js";
import type { Tensor } from "../tensor.js";

/** A tensor of all examples, `[N, …]`, or one that all examples share. */
export type Batched = { readonly x: Tensor; readonly batched: boolean };

/** One run of an op with at least one batched input. */
export type BatchedRun = {
  readonly op: RanOp<never>;
  readonly inputs: readonly Batched[];
  readonly attributes: unknown;
  /** N, the number of examples. */
  readonly size: number;
};

/** Computes the outputs `[N, …]` of an op in one run for all examples; undefined if it must run once for each. */
type BatchingRule = (run: BatchedRun) => readonly Tensor[] | undefined;

/** Elementwise ops: a batched input with fewer axes than another gets axes of length 1 after N. */
const elementwise: BatchingRule = ({ op, inputs, attributes, size }) => {
  const rank = Math.max(...inputs.map(({ x, batched }) => x.shape.length - Number(batched)));
  const aligned = inputs.map(({ x, batched }) =>
    batched ? reshaped(x, [size, ...padded(x.shape.slice(1), rank)]) : x,
  );
  return runAll(op as Op<unknown>, aligned, attributes);
};

/** A shape with axes of length 1 in front. */
function padded(shape: Shape, rank: number): Shape {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}

type AxisAttributes = { axis?: number; axes?: readonly number[]; shape?: Shape };

/** Ops with axes, which are shifted by one to the right. */
const shifted: BatchingRule = ({ op, inputs, attributes, size }) => {
  const axisAttributes = attributes as AxisAttributes;
  return runAll(op as Op<unknown>, repeated(inputs, size), {
    ...axisAttributes,
    ...(axisAttributes.axis !== undefined && { axis: axisAttributes.axis + 1 }),
    ...(axisAttributes.axes && { axes: axisAttributes.axes.map((axis) => axis + 1) }),
    ...(axisAttributes.shape && { shape: [size, ...axisAttributes.shape] }),
  });
};

/** Ops on the last axes, which run unchanged if all inputs are batched. */
const lastAxes: BatchingRule = ({ op, inputs, attributes, size }) =>
  runAll(op as Op<unknown>, repeated(inputs, size), attributes);

/** Ops on rows, which run unchanged if only the first input is batched. */
const rowsOnly: BatchingRule = ({ op, inputs, attributes }) =>
  inputs.slice(1).some(({ batched }) => batched)
    ? undefined
    : runAll(
        op as Op<unknown>,
        inputs.map(({ x }) => x),
        attributes,
      );

function repeated(inputs: readonly Batched[], size: number): Tensor[] {
  return inputs.map(({ x, batched }) => (batched ? x : repeat(x, size)));
}

/** A shared tensor, repeated for each example, as a view. */
export function repeat(x: Tensor, size: number): Tensor {
  return run(broadcastToOp, [x], { shape: [size, ...x.shape] });
}

/** Rules of ops with special cases, by name. */
const specialRules: Record<string, BatchingRule> = {
  mul: (run) => (run.attributes === undefined ? elementwise(run) : undefined), // einsum's product has labels
  permute: ({ inputs: [input], attributes }) => [
    run(permuteOp, [input!.x], {
      axes: [0, ...(attributes as { axes: readonly number[] }).axes.map((axis) => axis + 1)],
    }),
  ],
  reshape: ({ inputs: [input], attributes, size }) => [
    reshaped(input!.x, [size, ...(attributes as { shape: Shape }).shape]),
  ],
  broadcastTo({ inputs: [input], attributes, size }) {
    const { shape } = attributes as { shape: Shape };
    const aligned = reshaped(input!.x, [size, ...padded(input!.x.shape.slice(1), shape.length)]);
    return [run(broadcastToOp, [aligned], { shape: [size, ...shape] })];
  },
  sumTo({ inputs: [input], attributes, size }) {
    const { shape } = attributes as { shape: Shape };
    const inputShape = input!.x.shape.slice(1);
    const rank = Math.max(inputShape.length, shape.length); // it also repeats, as the gradient of a sum
    return [
      reshaped(
        sumTo(reshaped(input!.x, [size, ...padded(inputShape, rank)]), [size, ...padded(shape, rank)]),
        [size, ...shape],
      ),
    ];
  },
  matmul(batchedRun) {
    const [a, b] = batchedRun.inputs as [Batched, Batched];
    if (b.batched || b.x.shape.length > 2) return elementwise(batchedRun);
    // With a shared matrix, the rows of all examples are the rows of one product.
    const rows = reshaped(a.x, [sizeOf(a.x.shape.slice(0, -1)), a.x.shape.at(-1)!]);
    return [reshaped(product(rows, b.x), [...a.x.shape.slice(0, -1), b.x.shape[1]!])];
  },
  linear({ op, inputs, attributes, size }) {
    const [x, weight, bias] = inputs as [Batched, Batched, Batched | undefined];
    if (!weight.batched && !bias?.batched) {
      const operands = [contiguous(x.x), weight.x, ...(bias ? [bias.x] : [])];
      return runAll(op as unknown as Op<unknown>, operands, attributes);
    }
    if (weight.x.dtype !== x.x.dtype) return undefined; // weights of 16 bits
    const examples = x.batched ? x.x : repeat(x.x, size);
    const outputs = weight.batched ? weight.x.shape[1]! : weight.x.shape[0]!;
    const rows = reshaped(examples, [size, rowsPerExample(examples), examples.shape.at(-1)!]);
    const y = product(rows, transposed(weight.x));
    const alignedBias = bias && (bias.batched ? reshaped(bias.x, [size, 1, outputs]) : bias.x);
    const sum = alignedBias ? run(addOp, [y, alignedBias], undefined) : y;
    return [reshaped(sum, [...examples.shape.slice(0, -1), outputs])];
  },
  take(batchedRun) {
    const [x, indices] = batchedRun.inputs as [Batched, Batched];
    const { axis } = batchedRun.attributes as { axis: number };
    if (x.batched) return indices.batched ? undefined : shiftedFirst(batchedRun);
    // The axes of the indices replace the axis of x, and N is the first of them.
    const [taken] = runAll(batchedRun.op as Op<unknown>, [x.x, indices.x], batchedRun.attributes);
    const axes = taken!.shape.map((_, newAxis) => {
      if (newAxis === 0) return axis;
      return newAxis <= axis ? newAxis - 1 : newAxis;
    });
    return [run(permuteOp, [taken!], { axes })];
  },
};

/** {@link shifted}, for ops whose other inputs are not batched. */
const shiftedFirst: BatchingRule = ({ op, inputs, attributes }) =>
  runAll(
    op as Op<unknown>,
    inputs.map(({ x }) => x),
    { ...(attributes as object), axis: (attributes as { axis: number }).axis + 1 },
  );

const rowsPerExample = ({ shape }: Tensor): number => sizeOf(shape.slice(1, -1));

const table: readonly (readonly [rule: BatchingRule, names: string])[] = [
  [
    elementwise,
    "add sub div pow maximum minimum floorDivide remainder atan2 equal notEqual less lessEqual greater greaterEqual " +
      "logicalAnd logicalOr logicalNot where abs ceil clamp elu erf exp expm1 floor gelu isFinite isNaN leakyRelu log " +
      "log1p log2 logSigmoid mish neg reciprocal relu round rsqrt sigmoid sign silu sin cos tan softplus sqrt square " +
      "tanh trunc cast copy",
  ],
  [
    shifted,
    "sum mean prod max min norm logSumExp any all argmax argmin softmax logSoftmax cumsum cumprod cummax sort argSort " +
      "topK concat slice pad every flip spread diagonal onDiagonal gather gatherBackward scatter scatterAdd scatterMax " +
      "lastWritten",
  ],
  [lastAxes, "crossEntropy crossEntropyBackward targetWeights triangle"],
  [rowsOnly, "layerNorm rmsNorm swiglu"],
];

const rules = /* @__PURE__ */ new Map<string, BatchingRule>(
  /* @__PURE__ */ table.flatMap(([rule, names]) => names.split(" ").map((name) => [name, rule] as const)),
);

/** Outputs `[N, …]` of one run for all examples; undefined if there is no rule, so that the op must run once for each. */
export function runBatched(batchedRun: BatchedRun): readonly Tensor[] | undefined {
  const { name } = batchedRun.op;
  const rule = Object.hasOwn(specialRules, name) ? specialRules[name] : rules.get(name);
  return rule?.(batchedRun);
}
