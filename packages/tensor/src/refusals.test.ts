// Errors at the call: unknown options, numbers that would give NaN, and gradients through functions that return indices.
import { expect, test } from "vitest";
import { tensor, zeros } from "./create.js";
import { grad } from "./grad.js";
import { argSort } from "./ops/arg-sort.js";
import { argmax } from "./ops/argmax.js";
import { argmin } from "./ops/argmin.js";
import { broadcastTo } from "./ops/broadcast-to.js";
import { cast } from "./ops/cast.js";
import { clamp } from "./ops/clamp.js";
import { cumsum } from "./ops/cumsum.js";
import { equal } from "./ops/equal.js";
import { floor } from "./ops/floor.js";
import { greater } from "./ops/greater.js";
import { layerNorm } from "./ops/layer-norm.js";
import { max } from "./ops/max.js";
import { mul } from "./ops/mul.js";
import { pow } from "./ops/pow.js";
import { relu } from "./ops/relu.js";
import { reshape } from "./ops/reshape.js";
import { rmsNorm } from "./ops/rms-norm.js";
import { softmax } from "./ops/softmax.js";
import { sort } from "./ops/sort.js";
import { sum } from "./ops/sum.js";
import { topK } from "./ops/top-k.js";
import { where } from "./ops/where.js";
import { write } from "./ops/write.js";
import { categorical } from "./random/categorical.js";
import { randn, uniform } from "./random/randn.js";
import type { Tensor } from "./tensor.js";
import { adam, adamW } from "./optimizers/adam.js";
import { clipGradients } from "./optimizers/clip-gradients.js";
import { sgd } from "./optimizers/sgd.js";

const x = tensor([
  [1, 2],
  [3, 4],
]);
const weight = tensor([1, 1]);

test.each<[string, () => unknown, RegExp]>([
  ["sum", () => sum(x, { dim: 0 } as never), /`dim` is 0, expected one of .*\nFix: write `axis`\.$/],
  ["softmax", () => softmax(x, 0 as never), /`options` is 0, expected an object .*\n.*`\{ axis \}`/],
  ["max", () => max(x, { keepdim: true } as never), /`keepdim` .*\nFix: write `keepDims`/],
  ["layerNorm", () => layerNorm(x, weight, weight, { epsilon: 1 } as never), /`epsilon`.*\n.*`eps`/],
  ["adamW", () => adamW({ lr: 1 } as never), /`lr` is 1, .*\nFix: write `learningRate`/],
  ["adam", () => adam(0.1 as never), /`options` is 0.1/],
])("%s refuses an unknown option, and options that are not an object", (name, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ name: "ArgumentError", fn: name }));
});

test.each<[string, () => unknown, RegExp]>([
  ["randn", () => randn([2], undefined as never), /`seed` is undefined, expected an integer/],
  ["sgd", () => (sgd as () => unknown)(), /`learningRate` is undefined/],
  [
    "clamp",
    () => (clamp as (x: Tensor) => unknown)(x),
    /`limits` is undefined, expected `min`, `max` or both/,
  ],
  [
    "reshape",
    () => (reshape as (...args: unknown[]) => unknown)(x, 2, 2),
    /`shape` is 2, expected a list .*\n.*brackets/,
  ],
  ["uniform", () => uniform([2], { seed: 1, low: 2 }), /`high` is 1, expected a finite number, 2 or more/],
  ["uniform", () => uniform([2], { seed: 1, low: NaN }), /`low` is NaN/],
  [
    "layerNorm",
    () => layerNorm(x, weight, weight, { eps: NaN }),
    /`eps` is NaN, expected a finite number, 0 or more/,
  ],
  ["layerNorm", () => layerNorm(x, weight, weight, { eps: "1e-5" as never }), /`eps` is "1e-5"/],
  ["rmsNorm", () => rmsNorm(x, weight, { eps: -1 }), /`eps` is -1/],
  ["clipGradients", () => clipGradients(x, 1, { eps: NaN }), /`eps` is NaN/],
  ["adam", () => adam({ eps: NaN }), /`eps` is NaN/],
  ["write", () => write(x, 0, NaN, x), /`start` is NaN/],
  ["grad", () => grad(5 as never), /`f` is 5, expected a function/],
])("%s names what is missing or not a number", (name, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ name: "ArgumentError", fn: name }));
});

test("further arguments are ignored: a function of one tensor can be passed to `map` of a list", () => {
  expect([x, x].map(relu as (x: Tensor) => Tensor)).toHaveLength(2);
});

test("writing to a broadcast view is refused", () => {
  const repeated = broadcastTo(zeros([1, 2]), [3, 2]);
  expect(() => write(repeated, 0, 0, x)).toThrow(
    /^write: `target` is "a broadcast view \(stride 0\)", .*\nFix: copy it first: `contiguous\(x\)`/,
  );
  const optimizer = sgd({ learningRate: 1 });
  const params = { w: repeated };
  expect(() => optimizer.update(params, { w: zeros([3, 2]) }, { step: 0, moments: {} })).toThrow(
    /^sgd: `params\.w` is "a broadcast view/,
  );
});

test("an optimizer refuses arguments in the wrong order, and names the state", () => {
  const optimizer = adam();
  const params = { w: zeros([2]) };
  const state = optimizer.init(params);
  expect(() => optimizer.update(state as never, params as never, params as never)).toThrow(
    /^adam: `state` is an object with keys w, expected what `init` returned.*\nFix: call `update\(params, gradients, state\)`/,
  );
  expect(() => (optimizer.update as (...args: unknown[]) => void)(params, params)).toThrow(
    /`state` is undefined/,
  );
});

const indexFunctions: Record<string, (x: Tensor) => Tensor> = {
  argmax: (x) => argmax(x, { axis: 1 }),
  argmin: (x) => argmin(x, { axis: 1 }),
  argSort: (x) => argSort(x),
  topK: (x) => topK(x, 1).indices,
  categorical: (x) => categorical(x, { seed: 1 }),
};

test.each(Object.entries(indexFunctions))(
  "a gradient through the indices of %s is refused, and the error names the function",
  (name, indices) => {
    const f = (x: Tensor) => sum(cast(indices(x), "float32"));
    expect(() => grad(f)(x)).toThrow(
      expect.objectContaining({
        fn: "grad",
        received: `a function that uses ${name}`,
      }),
    );
  },
);

test("values at indices have a gradient, and so has a product with a comparison; the gradient of the comparison itself is zero", () => {
  expect(grad((x: Tensor) => sum(topK(x, 1).values))(x).toNested()).toEqual([
    [0, 1],
    [0, 1],
  ]);
  const above = (x: Tensor) => cast(greater(x, 2), "float32");
  expect(grad((x: Tensor) => sum(mul(x, above(x))))(x).toNested()).toEqual([
    [0, 0],
    [1, 1],
  ]);
  expect(grad((x: Tensor) => sum(where(equal(x, 2), pow(x, 2), x)))(x).toNested()).toEqual([
    [1, 4],
    [1, 1],
  ]);
  const steps = [above, floor, (x: Tensor) => cast(cast(x, "int32"), "float32")];
  for (const step of steps)
    expect(grad((x: Tensor) => sum(step(x)))(x).toNested()).toEqual([
      [0, 0],
      [0, 0],
    ]);
});

test("consecutive draws of categorical are independent, and an unknown option is refused", () => {
  const [logits, n] = [zeros([4]), 4000];
  const draws = Array.from({ length: n }, (_, draw) => categorical(logits, { seed: 1, draw }).data[0]!);
  const pairs = new Float64Array(16);
  for (let t = 1; t < n; t++) pairs[4 * draws[t - 1]! + draws[t]!]! += 1;
  // Chi-squared test with 15 degrees of freedom: the statistic exceeds 45 for fewer than one of 10,000 random streams.
  const expected = (n - 1) / 16;
  expect(pairs.reduce((total, count) => total + (count - expected) ** 2 / expected, 0)).toBeLessThan(45);
  expect(() => categorical(logits, { seed: 1, first: 3 } as never)).toThrow(
    /^categorical: `first` is 3, expected one of the options seed, draw/,
  );
  expect(randn([8], { seed: 1, draw: 1 }).data).not.toEqual(randn([8], { seed: 1 }).data);
  expect(() => randn([8], { seed: 1, draw: -1 })).toThrow(/^randn: `draw` is -1/);
});

test.each<[string, (value: never) => unknown]>([
  ["sum: `keepDims`", (keepDims) => sum(tensor([1, 2]), { keepDims })],
  ["max: `keepDims`", (keepDims) => max(tensor([1, 2]), { keepDims })],
  ["argmax: `keepDims`", (keepDims) => argmax(tensor([1, 2]), { keepDims })],
  ["topK: `largest`", (largest) => topK(tensor([1, 2]), 1, { largest })],
  ["sort: `descending`", (descending) => sort(tensor([1, 2]), { descending })],
  ["argSort: `descending`", (descending) => argSort(tensor([1, 2]), { descending })],
  ["cumsum: `exclusive`", (exclusive) => cumsum(tensor([1, 2]), 0, { exclusive })],
  ["cumsum: `reverse`", (reverse) => cumsum(tensor([1, 2]), 0, { reverse })],
])("%s that is no boolean is refused", (option, call) => {
  for (const value of ["false", 1, null]) expect(() => call(value as never)).toThrow(option);
});
