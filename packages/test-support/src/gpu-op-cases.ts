import * as t from "@qkv/tensor";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import type { Agreement } from "./agreement.js";

/** A function of tensors and its inputs, to compare a device with the plain one. */
export type OpCase = {
  readonly name: string;
  readonly f: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly Tensor[];
} & Agreement;

const x = randn([3, 5, 7], { seed: 1 });
const wholeTexels = randn([4, 6, 8], { seed: 2 });
const rowsByName = [
  ["rows of 7", x],
  ["whole texels", wholeTexels],
] as const;

/** Cases for every kernel: rows of whole texels (four numbers) and others, contiguous tensors and views. */
export const opCases: readonly OpCase[] = [
  ...[
    [8, 8, 8],
    [5, 7, 3],
    [1, 64, 30],
    [65, 33, 66],
    [4, 1, 4],
    [3, 172, 64],
    [130, 128, 132],
    [132, 70, 128],
  ].flatMap(([M, K, N]): OpCase[] => {
    const a = randn([M!, K!], { seed: M! });
    const [b, c] = [randn([K!, N!], { seed: 3 }), randn([N!, K!], { seed: 4 })];
    const ops = ["matmul"];
    return [
      { name: `matmul ${M} ${K} ${N}`, f: (a, b) => t.matmul(a, b), inputs: [a, b], ops },
      { name: `matmul ${M} ${K} ${N} transposed`, f: (a, c) => t.linear(a, c), inputs: [a, c], ops },
      {
        name: `matmul ${M} ${K} ${N} both transposed`,
        f: (a, c) => t.matmul(t.transpose(a), t.transpose(c)),
        inputs: [randn([K!, M!], { seed: 5 }), c],
        ops,
      },
    ];
  }),
  {
    name: "matmul, batches that broadcast",
    f: (a, b) => t.matmul(a, b),
    inputs: [randn([2, 1, 3, 8], { seed: 1 }), randn([5, 8, 4], { seed: 2 })],
    ops: ["matmul"],
  },
  {
    name: "matmul, large batches",
    f: (a, b) => t.matmul(a, b),
    inputs: [randn([2, 64, 128], { seed: 1 }), randn([2, 128, 128], { seed: 2 })],
    ops: ["matmul"],
  },
  {
    name: "matmul of a slice",
    f: (a, b) => t.matmul(t.slice(a, 0, 1, 4), t.slice(b, 1, 1, 6)),
    inputs: [randn([5, 9], { seed: 1 }), randn([9, 7], { seed: 2 })],
    ops: ["matmul"],
  },
  ...(["softmax"] as const).flatMap((op): OpCase[] => [
    { name: `${op} of rows of 7`, f: (x) => t[op](x), inputs: [x], ops: [op] },
    { name: `${op} of whole texels`, f: (x) => t[op](x), inputs: [wholeTexels], ops: [op] },
    {
      name: `${op} of large and masked numbers`,
      f: (x) => t[op](x),
      inputs: [
        tensor([
          [1000, 999, -Infinity, 0],
          [1, 1, 1, -1e30],
        ]),
      ],
      ops: [op],
    },
  ]),
  ...rowsByName.flatMap(([rows, x]): OpCase[] => {
    const n = x.shape.at(-1)!;
    const [weight, bias] = [randn([n], { seed: 3 }), randn([n], { seed: 4 })];
    return [
      {
        name: `layerNorm of ${rows}`,
        f: (x, w, b) => t.layerNorm(x, w, b),
        inputs: [x, weight, bias],
        ops: ["layerNorm"],
      },
      {
        name: `layerNorm of ${rows}, without a weight`,
        f: (x) => t.layerNorm(x),
        inputs: [x],
        ops: ["layerNorm"],
      },
      { name: `rmsNorm of ${rows}`, f: (x, w) => t.rmsNorm(x, w!), inputs: [x, weight], ops: ["rmsNorm"] },
    ];
  }),
  // A variance near zero: eps dominates the denominator.
  ...(["layerNorm", "rmsNorm"] as const).map((op): OpCase => ({
    name: `${op} of small numbers`,
    f: (x, w) => t[op](x, w!),
    inputs: [t.mul(x, 1e-3), randn([7], { seed: 3 })],
    ops: [op],
  })),
  {
    name: "layerNorm far from zero",
    f: (x) => t.layerNorm(x),
    inputs: [t.add(randn([4, 256], { seed: 1 }), 1000)],
    ops: ["layerNorm"],
    tolerance: 2e-4,
  },
  ...(["neg", "abs", "exp", "tanh", "sigmoid", "silu", "relu"] as const).flatMap((op): OpCase[] =>
    rowsByName.map(([rows, x]) => ({ name: `${op} of ${rows}`, f: (x) => t[op](x), inputs: [x], ops: [op] })),
  ),
  ...(["add", "sub", "mul", "div", "maximum", "minimum"] as const).flatMap((op): OpCase[] => [
    { name: op, f: (a, b) => t[op](a, b), inputs: [wholeTexels, randn([4, 6, 8], { seed: 3 })], ops: [op] },
    {
      name: `${op}, broadcast along rows`,
      f: (a, b) => t[op](a, b),
      inputs: [x, randn([5, 1], { seed: 3 })],
      ops: [op],
    },
    { name: `${op} with a number`, f: (a) => t[op](a, 2.5), inputs: [x], ops: [op] },
    {
      name: `${op} of views`,
      f: (a, b) => t[op](t.permute(a, [2, 0, 1]), t.slice(b, 0, 1, 2)),
      inputs: [x, randn([3, 5], { seed: 3 })],
      ops: [op],
    },
  ]),
  ...(["expm1", "log1p", "erf", "floor", "ceil", "sign", "softplus", "gelu"] as const).flatMap(
    (op): OpCase[] =>
      rowsByName.map(([rows, x]) => ({
        name: `${op} of ${rows}`,
        f: (x) => t[op](x),
        inputs: [op === "log1p" ? t.abs(x) : x],
        ops: [op],
      })),
  ),
  ...(["log", "sqrt", "rsqrt", "reciprocal"] as const).map((op): OpCase => ({
    name: op,
    f: (x) => t[op](x),
    inputs: [t.add(t.abs(x), 0.1)],
    ops: [op],
  })),
  {
    name: "round",
    f: (x) => t.round(x),
    inputs: [tensor([-2.5, -1.5, -0.4, 0.5, 1.5, 2.5, 3.7])],
    ops: ["round"],
  },
  ...(["sin", "cos"] as const).map((op): OpCase => ({
    name: op,
    f: (x) => t[op](x),
    inputs: [tensor(Array.from({ length: 200 }, (_, i) => (i - 100) * 0.37 * (i % 3 === 0 ? 91 : 1)))],
    ops: [op],
    tolerance: 1e-6,
  })),
  { name: "gelu by tanh", f: (x) => t.gelu(x, { approximate: "tanh" }), inputs: [x], ops: ["geluTanh"] },
  { name: "swish", f: (x) => t.swish(x, { alpha: 1.7 }), inputs: [x], ops: ["swish"] },
  { name: "clamp", f: (x) => t.clamp(x, { min: -0.5 }), inputs: [x], ops: ["clamp"] },
  {
    name: "pow",
    f: (a, b) => t.pow(a, b),
    inputs: [tensor([-2, -2, 0, 3, 1, 0.5]), tensor([3, 2, 0, 0.5, 9, -2])],
    ops: ["pow"],
  },
  {
    name: "where",
    f: (a, b) => t.where(t.greater(a, b), a, 0),
    inputs: [x, randn([7], { seed: 4 })],
    ops: ["where", "greater"],
  },
  ...(["less", "lessEqual", "greater", "greaterEqual", "equal", "notEqual"] as const).map((op): OpCase => ({
    name: op,
    f: (a, b) => t[op](a, b),
    inputs: [t.round(x), t.round(randn([5, 7], { seed: 3 }))],
    ops: [op],
  })),
  ...(["sum", "mean", "max", "min"] as const).flatMap((op): OpCase[] =>
    [undefined, 0, 1, [0, 2]].map((axis) => ({
      name: `${op} over ${axis}`,
      f: (x) => t[op](x, axis === undefined ? {} : { axis }),
      inputs: [x],
      ops: [op],
    })),
  ),
  { name: "softmax along another axis", f: (x) => t.softmax(x, { axis: 0 }), inputs: [x], ops: ["softmax"] },
  { name: "softmax of a view", f: (x) => t.softmax(t.transpose(x)), inputs: [x], ops: ["softmax"] },
  { name: "logSoftmax", f: (x) => t.logSoftmax(x), inputs: [x], ops: ["logSoftmax"] },
  {
    name: "take",
    f: (x) =>
      t.take(
        x,
        1,
        tensor(
          [
            [4, 0],
            [2, 2],
          ],
          { dtype: "int32", device: x.device },
        ),
      ),
    inputs: [x],
    ops: ["take"],
    tolerance: 0,
  },
  {
    name: "embedding",
    f: (x) => t.embedding(x, tensor([4, 0, 2], { dtype: "int32", device: x.device })),
    inputs: [randn([5, 8], { seed: 1 })],
    ops: ["take"],
    tolerance: 0,
  },
  { name: "copy", f: (x) => t.contiguous(t.permute(x, [2, 1, 0])), inputs: [x], ops: ["copy"], tolerance: 0 },
  {
    name: "write",
    f: (x) => {
      const buffer = t.zeros([2, 9, 7], { device: x.device });
      t.write(buffer, 1, 3, t.slice(x, 0, 1, 3));
      t.write(t.slice(buffer, 0, 1, 2), 1, 0, t.slice(t.slice(x, 0, 0, 1), 1, 2, 4));
      return t.add(buffer, 0);
    },
    inputs: [x],
    ops: ["write"],
    tolerance: 0,
  },
];
