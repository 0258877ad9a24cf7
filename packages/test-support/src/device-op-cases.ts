import * as t from "@qkv/tensor";
import { randn, run, tensor, type DType, type Op, type Tensor } from "@qkv/tensor";
import { adam, adamW, sgd, type Optimizer } from "@qkv/tensor/optimizers";
import { dequantizeWeight, quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
import type { OpCase } from "./gpu-op-cases.js";

const x = randn([3, 5, 7], { seed: 1 });
const wholeNumbers = t.cast(t.mul(randn([4, 6], { seed: 2 }), 40), "int32");
const flags = t.greater(x, 0);
const int32 = (values: number[], shape = [values.length]) => tensor(values, { dtype: "int32", shape });
/** Indices, or any other input, on the device of `x`. */
const onDeviceOf = (x: Tensor, indices: Tensor) => indices.to(x.device);
/** The beginning of each axis of `x`. */
const beginning = (x: Tensor, ...lengths: number[]) =>
  lengths.reduce((part, length, axis) => t.slice(part, axis, 0, length), x);
/** The gradient of the sum of squares of `f`. */
const squaresGradient = (f: (x: Tensor) => Tensor) => (x: Tensor) =>
  t.grad((x: Tensor) => t.sum(t.mul(f(x), f(x))))(x);

/** Ops that copy numbers without computing, for every dtype. */
const copyingOps: readonly [op: string, f: (x: Tensor) => Tensor][] = [
  ["concat", (x) => t.concat([x, t.slice(x, 1, 1, 3), x], 1)],
  ["pad", (x) => t.pad(x, 1, 2, 3, 1)],
  ["flip", (x) => t.flip(t.permute(x, [1, 0, 2]), [0, 2])],
  ["triangle", (x) => t.tril(t.transpose(x), 1)],
  ["triangle", (x) => t.triu(x, -1)],
  ["copy", (x) => t.contiguous(t.permute(x, [2, 0, 1]))],
  ["gather", (x) => t.gather(x, 1, onDeviceOf(x, int32([4, 0, 2, 2, 1, 1], [3, 2, 1])))],
  ["take", (x) => t.take(x, 2, onDeviceOf(x, int32([6, 0, 6, 1], [2, 2])))],
  ["scatter", (x) => t.scatter(x, 1, onDeviceOf(x, int32([4, 4, 0], [1, 3, 1])), beginning(x, 1, 3, 1))],
  [
    "scatterUpdate",
    (x) =>
      t.scatterUpdate(x, t.slice(x, 1, 0, 2), { writeIndices: onDeviceOf(x, int32([0, 3, 1])), axis: 1 }),
  ],
  [
    "scatterUpdate",
    (x) =>
      t.scatterUpdate(x, t.slice(x, 1, 0, 3), {
        writeIndices: onDeviceOf(x, int32([4, 0, 3])),
        axis: 1,
        mode: "circular",
      }),
  ],
  ["where", (x) => t.where(onDeviceOf(x, flags), x, t.flip(x, 2))],
  [
    "write",
    (x) => {
      const buffer = t.contiguous(t.pad(x, 1, 2, 2));
      t.write(buffer, 1, 3, x);
      t.write(buffer, 1, 0, t.slice(buffer, 1, 4, 6));
      return t.contiguous(buffer);
    },
  ],
];

/**
 * Functions of floats, and gradients, by the op that must run on the device. Some ops run in gradients only: `onDiagonal` in that of
 * `diagonal`, `place` of `einsum` with a repeated label, `shares` of `logSumExp`, `targetWeights` of `crossEntropy`, `lastWritten` of
 * `scatter`, `readWindow` of `scatterUpdate`, and those that end with `Slope` in those of activation functions.
 */
const floatOps: readonly [
  op: string,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor[],
  tolerance?: number,
][] = [
  ["onDiagonal", squaresGradient((x) => t.diagonal(x, 0, 1)), [randn([4, 4, 3], { seed: 1 })]],
  ["place", squaresGradient((x) => t.einsum("aab->ab", x)), [randn([4, 4, 3], { seed: 1 })]],
  [
    "sumTo",
    (a, b) => t.grad((b: Tensor) => t.sum(t.mul(t.add(a!, b), a!)))(b!),
    [x, randn([5, 1], { seed: 3 })],
  ],
  ["shares", squaresGradient((x) => t.logSumExp(x, { axis: 1 })), [x]],
  ["logSumExp", (x) => t.logSumExp(x!, { axis: [0, 2] }), [t.mul(x, 30)]],
  ["norm", (x) => t.norm(x!, { axis: 1 }), [x]],
  ["cumsum", (x) => t.cumsum(x!, 1), [x]],
  ["cumsum", (x) => t.cumsum(x!, 0, { exclusive: true, reverse: true }), [randn([300, 2], { seed: 4 })]],
  ["cumsum", (x) => t.cumsum(x!, 1), [wholeNumbers]],
  ["argmax", (x) => t.argmax(x!, { axis: 1 }), [x]],
  ["argmin", (x) => t.argmin(x!), [randn([700], { seed: 4 })]],
  ["argSort", (x) => t.argSort(x!, { axis: 1 }), [x]],
  ["argSort", (x) => t.argSort(x!, { descending: true }), [tensor([2, NaN, 2, -1, 5, NaN, 5])]],
  ["topK", (x) => t.topK(x!, 4).indices, [tensor([2, NaN, 2, -1, 5, 7, 5])]],
  ["topK", (x) => t.topK(x!, 3, { axis: 1, largest: false }).values, [x]],
  ["any", (x) => t.any(t.greater(x!, 1.2), { axis: 2 }), [x]],
  ["all", (x) => t.all(t.greater(x!, -1.5), { axis: [0, 1] }), [x]],
  ["sum", (x) => t.sum(t.greater(x!, 0), { axis: 0 }), [x]],
  ["sum", (x) => t.sum(x!), [randn([70, 900], { seed: 5 })], 1e-4],
  ["dropout", (x) => t.dropout(x!, { rate: 0.3, seed: 5 }), [randn([4, 100], { seed: 6 })]],
  ["siluSlope", squaresGradient(t.silu), [x]],
  ["geluSlope", squaresGradient((x) => t.gelu(x)), [x]],
  ["geluTanhSlope", squaresGradient((x) => t.gelu(x, { approximate: "tanh" })), [x]],
  [
    "crossEntropy",
    (x) => t.crossEntropy(x!, onDeviceOf(x!, int32([2, 0, -100, 4])), { labelSmoothing: 0.1 }),
    [randn([4, 5], { seed: 1 })],
  ],
  [
    "targetWeights",
    (x) => t.grad((x: Tensor) => t.crossEntropy(x, onDeviceOf(x, int32([2, 0, -100, 4]))))(x!),
    [randn([4, 5], { seed: 1 })],
  ],
  ["takeBackward", squaresGradient((x) => t.take(x, 1, onDeviceOf(x, int32([4, 0, 4, 4], [2, 2])))), [x]],
  [
    "gatherBackward",
    squaresGradient((x) => t.gather(x, 1, onDeviceOf(x, int32([4, 0, 4, 2, 1, 1], [3, 2, 1])))),
    [x],
  ],
  [
    "scatterAdd",
    (x) =>
      t.scatter(x!, 1, onDeviceOf(x!, int32([4, 4, 0], [1, 3, 1])), beginning(x!, 1, 3, 1), {
        reduce: "add",
      }),
    [x],
  ],
  [
    "scatterMax",
    (x) =>
      t.scatter(x!, 1, onDeviceOf(x!, int32([4, 4, 0], [1, 3, 1])), beginning(x!, 1, 3, 1), {
        reduce: "max",
      }),
    [x],
  ],
  [
    "scatterMax",
    (x, y) =>
      t.grad((y: Tensor) =>
        t.sum(t.square(t.scatter(x!, 0, onDeviceOf(y, int32([2, 2, 0])), y, { reduce: "max" }))),
      )(y!),
    [tensor([1, 2, NaN]), tensor([3, 3, -1])],
  ],
  [
    "scatterMax",
    (x) => t.scatter(x!, 0, onDeviceOf(x!, int32([1, 1, 3], [3, 1])), beginning(x!, 3, 1), { reduce: "max" }),
    [wholeNumbers],
  ],
  ["atan2", (a, b) => t.atan2(a!, b!), [x, randn([3, 5, 7], { seed: 9 })]],
  [
    "atan2",
    (a, b) => t.atan2(t.reshape(a!, [-1, 1]), b!),
    [
      tensor([0, -0, 1, -1e-30, 1e30, Infinity, -Infinity, NaN]),
      tensor([0, -0, 2, -3, 1e30, Infinity, -Infinity]),
    ],
  ],
  ["remainder", (a, b) => t.remainder(t.mul(a!, 50), b!), [x, randn([3, 5, 7], { seed: 9 })]],
  [
    "remainder",
    (a, b) => t.remainder(t.reshape(a!, [-1, 1]), b!),
    [tensor([0, 7, -7, 0.3, 1e30, -1e-30, 16777215, Infinity, NaN]), tensor([0, 2, -2, 0.1, 3])],
  ],
  [
    "remainder",
    (a, b) => t.remainder(a!, b!),
    [tensor([7, -7, 0, 1e30]), tensor([1e30, -1e30, 1e30, -3e30])],
  ],
  [
    "remainder",
    (a, b) => t.remainder(a!, b!),
    [tensor([7, -7, 7, -7]), tensor([Infinity, -Infinity, -Infinity, Infinity])],
  ],
  ["remainder", (a) => t.remainder(a!, onDeviceOf(a!, int32([3, -3, 7, -7, 0, 1]))), [wholeNumbers]],
  [
    "remainder",
    (a, b) => t.grad((b: Tensor) => t.sum(t.remainder(a!, b)))(b!),
    [x, t.add(t.abs(randn([3, 5, 7], { seed: 9 })), 0.5)],
  ],
  [
    "lastWritten",
    (x, y) =>
      t.grad((y: Tensor) =>
        t.sum(t.mul(t.scatter(x!, 1, onDeviceOf(y, int32([4, 4, 0], [1, 3, 1])), y), x!)),
      )(y!),
    [x, randn([1, 3, 1], { seed: 2 })],
  ],
  [
    "readWindow",
    (x, y) =>
      t.grad((y: Tensor) =>
        t.sum(t.mul(t.scatterUpdate(x!, y, { writeIndices: onDeviceOf(y, int32([0, 3, 1])), axis: 1 }), x!)),
      )(y!),
    [x, randn([3, 2, 7], { seed: 2 })],
  ],
  [
    "causalConv",
    (x, w, b) => t.causalConv(x!, w!, { bias: b!, activation: "silu" }).output,
    [x, randn([5, 1, 3], { seed: 2 }), randn([5], { seed: 3 })],
  ],
  [
    "causalConv",
    (x, w) => t.grad(([x, w]: Tensor[]) => t.sum(t.square(t.causalConv(x!, w!).output)))([x!, w!])[1]!,
    [x, randn([5, 1, 3], { seed: 2 })],
  ],
  ["linear", (x, w, b) => t.linear(x!, w!, b), [x, randn([9, 7], { seed: 2 }), randn([9], { seed: 3 })]],
  [
    "linear",
    (x, w, b) => t.linear(x!, w!, b),
    [randn([33, 64], { seed: 4 }), randn([68, 64], { seed: 2 }), randn([68], { seed: 3 })],
  ],
  [
    "linear",
    (x, w) => t.grad(([x, w]: Tensor[]) => t.sum(t.square(t.linear(x!, w!))))([x!, w!])[1]!,
    [x, randn([9, 7], { seed: 2 })],
    1e-4,
  ],
  // Weights of 16 bits, in products of few rows and of many, with row lengths that are multiples of four and others.
  ...(["float16", "bfloat16"] as const).flatMap((dtype) =>
    [
      [2, 7, 9],
      [3, 64, 68],
      [33, 7, 9],
      [33, 64, 68],
    ].map(([M, K, N]): (typeof floatOps)[number] => [
      "linear",
      (x, w, b) => t.linear(x!, w!, b),
      [randn([M!, K!], { seed: 4 }), t.cast(randn([N!, K!], { seed: 2 }), dtype), randn([N!], { seed: 3 })],
    ]),
  ),
  ["rotate", (x) => rotated(x!, "half"), [randn([2, 3, 5, 10], { seed: 1 })]],
  ["rotate", (x) => rotated(x!, "interleaved"), [randn([2, 3, 5, 10], { seed: 1 })]],
];

/** The op of rotary positions, as `rope` of @qkv/attention runs it: x [B, H, T, D], cos and sin [T, D / 2 or less], all contiguous. */
const rotateOp: Op<{ layout: "half" | "interleaved"; inverse: boolean }> = {
  name: "rotate",
  infer: ([x]) => [x!],
  kernel([x, cos, sin], [out], { layout }) {
    const [B, H, T, D] = x!.shape as [number, number, number, number];
    const { array, offset } = x!;
    const half = cos!.shape.at(-1)!;
    const [step, partner] = layout === "half" ? [1, half] : [2, 1];
    for (let row = 0; row < B * H * T; row++) {
      const angle = (row % T) * half;
      for (let d = 0; d < D; d++) out!.array[row * D + d] = array[offset + row * D + d]!;
      for (let i = 0; i < half; i++) {
        const [a, b] = [row * D + i * step, row * D + i * step + partner];
        const [c, s] = [cos!.array[angle + i]!, sin!.array[angle + i]!];
        out!.array[a] = array[offset + a]! * c - array[offset + b]! * s;
        out!.array[b] = array[offset + b]! * c + array[offset + a]! * s;
      }
    }
  },
};
const rotated = (x: Tensor, layout: "half" | "interleaved") => {
  const angles = onDeviceOf(x, randn([x.shape[2]!, 4], { seed: 8 }));
  return run(rotateOp, [x, t.cos(angles), t.sin(angles)], { layout, inverse: false });
};

/** Three steps of an optimizer on a parameter that is resident on the device. */
function optimized(optimizer: Optimizer) {
  return (gradient: Tensor): Tensor => {
    const param = { w: t.resident(t.add(t.mul(gradient, 0), 0.5)) };
    const state = optimizer.init(param);
    for (let step = 0; step < 3; step++) optimizer.update(param, { w: gradient }, state);
    return t.add(param.w, 0);
  };
}

const weight = randn([19, 70], { seed: 3 });
const quantized = ([8, 4] as const).map((bits) => quantizeWeight(weight, { bits }));
const moved = (x: Tensor, one: { data: Tensor; scale: Tensor }) => ({
  data: onDeviceOf(x, one.data),
  scale: onDeviceOf(x, one.scale),
});

/** Further cases, for devices with a kernel for every op, in every dtype that an op supports. */
export const deviceOpCases: readonly OpCase[] = [
  ...copyingOps.flatMap(([op, f], i) =>
    (["float32", "int32", "float16", "bfloat16", "int8", "uint8", "bool"] as const).map((dtype): OpCase => ({
      name: `${op} ${i} of ${dtype}`,
      f: (x) => f(x!),
      inputs: [t.cast(x, dtype)],
      ops: [op],
      tolerance: 0,
    })),
  ),
  ...floatOps.map(([op, f, inputs, tolerance = 2e-5], i): OpCase => ({
    name: `${op} ${i}`,
    f,
    inputs,
    ops: [op],
    tolerance,
  })),
  ...(["add", "sub", "mul", "div", "maximum", "minimum"] as const).flatMap((op) =>
    (["int32", "int8", "uint8"] as const).map((dtype): OpCase => ({
      name: `${op} of ${dtype}`,
      f: (a, b) => t[op](a!, b!),
      inputs: [t.cast(wholeNumbers, dtype), t.cast(t.flip(wholeNumbers, 0), dtype)],
      ops: [op],
      tolerance: 0,
    })),
  ),
  ...(["neg", "abs", "sign", "relu", "floor", "round"] as const).map((op): OpCase => ({
    name: `${op} of int32`,
    f: (x) => t[op](x!),
    inputs: [wholeNumbers],
    ops: [op],
    tolerance: 0,
  })),
  ...(["sum", "max", "min", "argmax", "any"] as const).flatMap((op) =>
    (["int32", "int8", "uint8"] as const).map((dtype): OpCase => ({
      name: `${op} of ${dtype}`,
      f: (x) => t[op](x!, { axis: 0 }),
      inputs: [t.cast(wholeNumbers, dtype)],
      ops: [op],
      tolerance: 0,
    })),
  ),
  {
    name: "clamp of int32",
    f: (x) => t.clamp(x!, { min: -3, max: 20 }),
    inputs: [wholeNumbers],
    ops: ["clamp"],
    tolerance: 0,
  },
  {
    name: "logic",
    f: (x) => t.logicalOr(t.logicalAnd(t.greater(x!, 0), t.less(x!, 1)), t.logicalNot(t.less(x!, 0.5))),
    inputs: [x],
    ops: ["logicalOr", "logicalAnd", "logicalNot"],
  },
  ...(["float32", "int32", "float16", "bfloat16", "int8", "uint8", "bool"] as const).flatMap((dtype: DType) =>
    (["float32", "int32", "float16", "bfloat16", "uint8", "bool"] as const).flatMap((to): OpCase[] =>
      dtype === to
        ? []
        : [
            {
              name: `cast from ${dtype} to ${to}`,
              f: (x) => t.cast(x!, to),
              inputs: [
                t.cast(tensor([0, -0.3, 1.7, 300, -1e-6, 70000, 1e-8, -2.5, 65519, 3e9, -129]), dtype),
              ],
              ops: ["cast"],
              tolerance: 0,
            },
          ],
    ),
  ),
  ...[sgd({ learningRate: 0.1 }), sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true })].map(
    (optimizer, i): OpCase => ({
      name: `sgd ${i}`,
      f: optimized(optimizer) as OpCase["f"],
      inputs: [randn([70, 3], { seed: 1 })],
      ops: ["sgd"],
    }),
  ),
  { name: "adam", f: optimized(adamW({ weightDecay: 0.1 })) as OpCase["f"], inputs: [x], ops: ["adam"] },
  { name: "amsgrad", f: optimized(adam({ amsgrad: true })) as OpCase["f"], inputs: [x], ops: ["amsgrad"] },
  ...quantized.flatMap((one, i): OpCase[] => [
    {
      name: `dequantize ${i}`,
      f: (x) => t.add(dequantizeWeight(moved(x!, one), 70), t.mul(t.sum(x!), 0)),
      inputs: [x],
      ops: ["dequantize"],
    },
    {
      name: `quantizedMatmul ${i}`,
      f: (x, b) => quantizedLinear(x!, moved(x!, one), b),
      inputs: [randn([2, 3, 70], { seed: 4 }), randn([19], { seed: 5 })],
      ops: ["quantizedMatmul"],
    },
  ]),
  {
    name: "quantizedMatmul of int8 activations",
    f: (x) => quantizedLinear(x!, moved(x!, quantized[0]!), undefined, { activations: "int8" }),
    inputs: [randn([5, 70], { seed: 4 })],
    ops: ["quantizedMatmul"],
  },
];
