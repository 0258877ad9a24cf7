/// <reference types="node" />
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { describe, expect, test } from "vitest";
import { referenceData } from "../../../../conformance/reference-data.mjs";
import { tensor } from "../create.js";
import { grad } from "../grad.js";
import { js } from "../js-device.js";
import { add } from "../ops/add.js";
import { mul } from "../ops/mul.js";
import { reshape } from "../ops/reshape.js";
import { slice } from "../ops/slice-and-pad.js";
import { sub } from "../ops/sub.js";
import { sum } from "../ops/sum.js";
import { transpose } from "../ops/transpose.js";
import { randn } from "../random/randn.js";
import type { Tensor } from "../tensor.js";
import { adam, adamW } from "./adam.js";
import { clipGradients } from "./clip-gradients.js";
import type { Optimizer } from "./optimizer.js";
import { warmupCosine } from "./schedules.js";
import { sgd } from "./sgd.js";

describe("PyTorch 2.6", () => {
  type Stored = { name: string; shape: number[]; data: string };
  type Attributes = {
    lr: number;
    momentum: number;
    weight_decay: number;
    eps: number;
    max_norm: number;
    betas: [number, number];
  };
  type Case = { name: string; attributes: Attributes; inputs: Stored[]; outputs: Stored[] };
  const find = (name: string) =>
    (referenceData.json("torch/optimizers.json") as Case[]).find((one) => one.name === name)!;
  const tensorOf = ({ data, shape }: Stored) =>
    tensor(new Float32Array(Uint8Array.from(Buffer.from(data, "base64")).buffer), { shape });
  const makers: Record<string, (given: Attributes) => Optimizer> = {
    sgd: ({ lr }) => sgd({ learningRate: lr }),
    sgd_momentum: ({ lr, momentum, weight_decay }) =>
      sgd({ learningRate: lr, momentum, weightDecay: weight_decay }),
    adam: ({ lr, betas, eps }) => adam({ learningRate: lr, betas, eps }),
    adamw: ({ lr, betas, eps, weight_decay }) =>
      adamW({ learningRate: lr, betas, eps, weightDecay: weight_decay }),
  };

  test.each(Object.keys(makers))("%s: the params agree after each of six steps", (name) => {
    const { attributes, inputs, outputs } = find(name);
    const [param, gradients] = inputs.map(tensorOf) as [Tensor, Tensor];
    const optimizer = makers[name]!(attributes);
    const state = optimizer.init(param);
    for (let step = 0; step < 6; step++) {
      const row = (x: Tensor) => reshape(slice(x, 0, step, step + 1), [4, 3]);
      optimizer.update(param, row(gradients), state);
      expect(param).toBeAllclose(row(tensorOf(outputs[0]!)), { rtol: 0, atol: 2e-6 });
    }
    expect(state.step).toBe(6);
  });

  test("clipGradients agrees with clip_grad_norm_", () => {
    const { attributes, inputs, outputs } = find("clip_grad_norm");
    const { max_norm, eps } = attributes;
    const { gradients, norm } = clipGradients(inputs.map(tensorOf), max_norm, { eps });
    [reshape(norm, [1]), ...gradients].forEach((ours, i) =>
      expect(ours).toBeAllclose(tensorOf(outputs[i]!), { rtol: 0, atol: 2e-6 }),
    );
  });
});

test("property: sgd with momentum, dampening, Nesterov and decay follows PyTorch's recurrence", () => {
  const share = fc.double({ min: 0.1, max: 0.9, noNaN: true });
  fc.assert(
    fc.property(share, share, share, fc.boolean(), (momentum, dampening, weightDecay, nesterov) => {
      const options = {
        learningRate: 0.1,
        momentum,
        weightDecay,
        nesterov,
        dampening: nesterov ? 0 : dampening,
      };
      const optimizer = sgd(options);
      const param = tensor([1], { dtype: "float64" });
      const state = optimizer.init(param);
      let [w, v] = [1, 0];
      for (let step = 0; step < 4; step++) {
        const slope = Math.sin(step) + weightDecay * w;
        v = step === 0 ? slope : momentum * v + (1 - options.dampening) * slope;
        w -= 0.1 * (nesterov ? slope + momentum * v : v);
        optimizer.update(param, tensor([Math.sin(step)], { dtype: "float64" }), state);
        expect(param.data[0]).toBeCloseTo(w, 12);
      }
    }),
  );
});

test.each<[string, Optimizer]>([
  ["sgd", sgd({ learningRate: 0.1, momentum: 0.9 })],
  ["adam", adam({ learningRate: 0.1 })],
  [
    "adamW",
    adamW({ learningRate: warmupCosine({ peak: 0.2, warmupSteps: 10, steps: 300 }), weightDecay: 0 }),
  ],
])("%s minimizes a quadratic function of nested params", (_, optimizer) => {
  const params = {
    layers: [{ w: randn([2, 3], { seed: 1 }) }],
    b: randn([2], { seed: 2 }),
    ids: tensor([1], { dtype: "int32" }),
  };
  const goal = randn([2, 3], { seed: 3 });
  const far = ({ layers, b }: typeof params) => {
    const off = sub(layers[0]!.w, goal);
    return add(sum(mul(off, off)), sum(mul(b, b)));
  };
  const state = optimizer.init(params);
  for (let step = 0; step < 300; step++) optimizer.update(params, grad(far)(params), state);
  expect(params.layers[0]!.w.data).toBeAllclose(goal.data, { rtol: 0, atol: 5e-3 });
  params.b.data.forEach((value) => expect(value).toBeCloseTo(0, 2));
  expect([...params.ids.data]).toEqual([1]);
});

test("a step is visible in every view of a param, and nothing else is written", () => {
  const whole = tensor([
    [1, 2],
    [3, 4],
  ]);
  const row = slice(whole, 0, 0, 1);
  const gradient = tensor([[1, 1]]);
  const optimizer = sgd({ learningRate: 1 });
  optimizer.update(row, gradient, optimizer.init(row));
  expect(whole.toNested()).toEqual([
    [0, 1],
    [3, 4],
  ]);
  expect(gradient.toNested()).toEqual([[1, 1]]);
  const transposed = transpose(whole);
  optimizer.update(
    transposed,
    tensor([
      [1, 2],
      [3, 4],
    ]),
    optimizer.init(transposed),
  );
  expect(whole.toNested()).toEqual([
    [-1, -2],
    [1, 0],
  ]);
});

test("state outlives the scope in which it was created", () => {
  const param = tensor([1]);
  const optimizer = adam();
  const state = js().scope(() => {
    const made = optimizer.init(param);
    return { step: made.step, moments: { ...made.moments } };
  });
  expect(() => optimizer.update(param, tensor([1]), state)).not.toThrow();
});

test("a schedule is called with the number of previous updates", () => {
  const asked: number[] = [];
  const optimizer = sgd({ learningRate: (step) => (asked.push(step), 1) });
  const param = tensor([5]);
  const state = optimizer.init(param);
  for (let n = 0; n < 3; n++) optimizer.update(param, tensor([1]), state);
  expect(asked).toEqual([0, 1, 2]);
  expect(param.toNested()).toEqual([2]);
});

test("invalid arguments are refused before anything is written", () => {
  const params = { a: tensor([1]), b: tensor([2, 3]) };
  const optimizer = sgd({ learningRate: 1, momentum: 0.5 });
  const state = optimizer.init(params);
  expect(() => optimizer.update(params, { a: tensor([1]), b: tensor([1]) }, state)).toThrow(
    /sgd: `gradients.b` is "float32 \[1\] on js", expected float32 \[2\] on js, as the param is.\nFix: nest gradients/,
  );
  expect(() => optimizer.update(params, { a: tensor([1]) } as typeof params, state)).toThrow(
    /`gradients.b` is "nothing"/,
  );
  const other = optimizer.init({ a: tensor([1]) }) as never;
  expect(() => optimizer.update(params, params, other)).toThrow(/`state.moments.velocity.b` is "nothing"/);
  expect(params.a.toNested()).toEqual([1]);
  expect(state.step).toBe(0);
  expect(() => optimizer.init({ a: params.a, b: params.a })).toThrow(
    /`params.b` is "the tensor that is also params.a"/,
  );
  expect(() => optimizer.init(tensor([1], { dtype: "bfloat16" }))).toThrow(
    /`params` is "bfloat16".*\nFix: train a float32 copy/,
  );
});

test("options out of range are refused, with the fix", () => {
  expect(() => sgd({ learningRate: 1, momentum: 1 })).toThrow(
    /`momentum` is 1, expected a finite number, 0 or more and below 1/,
  );
  expect(() => sgd({ learningRate: 1, nesterov: true })).toThrow(
    /`nesterov` is true, expected a momentum above 0/,
  );
  expect(() => adam({ betas: [0.9, 1] })).toThrow(/adam: `betas\[1\]` is 1/);
  expect(() => adam({ amsgrad: "no" as never })).toThrow(/adam: `amsgrad` is "no", expected a boolean/);
  expect(() => sgd({ learningRate: 1, momentum: 0.9, nesterov: "no" as never })).toThrow(
    /sgd: `nesterov` is "no"/,
  );
  for (const wrong of [3, Promise.resolve({}), null])
    expect(() => adam().init(wrong)).toThrow(
      /^adam: `params` is .*, expected tensors nested in objects and lists/,
    );
  expect(() => adamW({ weightDecay: -1 })).toThrow(/adamW: `weightDecay` is -1/);
  const lost = sgd({ learningRate: () => NaN });
  const param = tensor([1]);
  expect(() => lost.update(param, param, lost.init(param))).toThrow(
    /`learningRate\(0\)` is NaN, expected a finite number, 0 or more/,
  );
});

test("clipGradients does not change gradients below the limit, keeps the direction of larger ones, and propagates NaN", () => {
  const gradients = {
    a: tensor([3]),
    b: [tensor([4], { dtype: "float64" })],
    ids: tensor([9], { dtype: "int32" }),
  };
  const short = clipGradients(gradients, 10);
  expect(short.norm.toNested()).toBe(5);
  expect([short.gradients.a.data[0], short.gradients.b[0]!.data[0]]).toEqual([3, 4]);
  const long = clipGradients(gradients, 1, { eps: 0 });
  expect(long.gradients.a.data[0]).toBeCloseTo(0.6, 6);
  expect(long.gradients.b[0]!.data[0]).toBeCloseTo(0.8, 6);
  expect(long.gradients.ids.data[0]).toBe(9);
  expect(clipGradients(tensor([1]), 1, { eps: 1 }).gradients.toNested()).toEqual([0.5]);
  expect(clipGradients(tensor([NaN, 1]), 1).gradients.data[1]).toBeNaN();
  expect(() => clipGradients({}, 1)).toThrow(/`gradients`.*expected a float tensor/);
  expect(() => clipGradients(gradients, -1)).toThrow(/`maxNorm` is -1/);
});
