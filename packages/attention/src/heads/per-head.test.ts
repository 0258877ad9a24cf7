import {
  add,
  cast,
  checkGradient,
  linear,
  mapTensors,
  mul,
  randn,
  slice,
  sum,
  tensorsOf,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { groupedQuery, type GroupedQueryConfig } from "./grouped-query.js";
import { learnedSinks } from "./learned-sinks.js";
import { fuseHeads, perHead, splitHeads } from "./per-head.js";
import { qkNorm } from "./qk-norm.js";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";

const configs = fc
  .record({
    numKvHeads: fc.integer({ min: 1, max: 3 }),
    group: fc.integer({ min: 1, max: 2 }),
    half: fc.integer({ min: 1, max: 2 }),
    embedDim: fc.integer({ min: 1, max: 9 }),
    bias: fc.boolean(),
    more: fc.boolean(),
  })
  .map(({ numKvHeads, group, half, embedDim, bias, more }): GroupedQueryConfig => {
    const shape = { embedDim, numHeads: numKvHeads * group, numKvHeads, headDim: 2 * half, bias };
    const extras = { qkNorm: qkNorm(), sinks: learnedSinks(), rope: rope({ headDim: 2 * half }) };
    return { ...shape, mask: causal(), ...(more && extras) };
  });
const seed = fc.nat(1000);

/** No bias is 0 and no gain 1, so that each is seen. */
const stirred = <P>(params: P): P =>
  mapTensors(params, (x, path) => randn(x.shape, { seed: path.length + x.shape.length }));

test("property: separate matrices per head give the same as the fused layer, bit for bit", () => {
  fc.assert(
    fc.property(configs, seed, (config, seed) => {
      const [one, two] = [groupedQuery(config), perHead(config)];
      const params = stirred(one.init(seed));
      const x = randn([2, 4, config.embedDim], { seed });
      const split = splitHeads(params, config);
      expect(two.apply(split, x).data).toEqual(one.apply(params, x).data);
    }),
  );
});

test("property: splitHeads and fuseHeads are inverse to each other, and keep all weights", () => {
  fc.assert(
    fc.property(configs, seed, (config, seed) => {
      const params = stirred(groupedQuery(config).init(seed));
      const back = fuseHeads(splitHeads(params, config));
      const numbers = (x: unknown) => tensorsOf(x).map((one) => [one.shape, ...one.data]);
      expect(numbers(back)).toEqual(numbers(params));
      expect(numbers(perHead(config).init(seed))).toEqual(
        numbers(splitHeads(groupedQuery(config).init(seed), config)),
      );
    }),
  );
});

test("head h has the rows of the projections, and the columns of the output matrix, from h · D on", () => {
  const config = { embedDim: 6, numHeads: 3, numKvHeads: 3, headDim: 4 };
  const params = groupedQuery(config).init(1);
  const split = splitHeads(params, config);
  const flat = (x: Tensor) => x.toNested();
  for (let h = 0; h < 3; h++) {
    expect(flat(slice(split.value.weight, 0, h, h + 1))).toEqual([
      flat(slice(params.value.weight, 0, 4 * h, 4 * h + 4)),
    ]);
    expect(flat(slice(split.output.weight, 0, h, h + 1))).toEqual([
      flat(slice(params.output.weight, 1, 4 * h, 4 * h + 4)),
    ]);
  }
});

test("the output of a layer is the sum of the outputs of its single heads", () => {
  const config = { embedDim: 6, numHeads: 2, numKvHeads: 2 };
  const layer = perHead(config);
  const params = layer.init(1);
  const x = randn([1, 3, 6], { seed: 2 });
  const only = (h: number) => {
    const cut = (p: { weight: Tensor }) => ({ weight: slice(p.weight, 0, h, h + 1) });
    const { query, key, value, output } = params;
    const own = { query: cut(query), key: cut(key), value: cut(value), output: cut(output) };
    return perHead({ ...config, numHeads: 1, numKvHeads: 1, headDim: 3 }).apply(own, x);
  };
  const whole = layer.apply(params, x);
  expect(add(only(0), only(1))).toBeAllclose(whole, { rtol: 0, atol: 5e-6 });
});

test("gradients of x and the weights of each head equal central differences", () => {
  const layer = perHead({ embedDim: 3, numHeads: 2, numKvHeads: 1, headDim: 2, bias: true, mask: causal() });
  const f64 = (x: Tensor) => cast(x, "float64");
  const given = mapTensors({ params: stirred(layer.init(1)), x: randn([1, 3, 3], { seed: 2 }) }, f64);
  const dy = f64(randn([1, 3, 3], { seed: 3 }));
  checkGradient(({ params, x }) => sum(mul(layer.apply(params, x), dy)), given);
});

test("a trace contains the tensors, and inputs of another shape are refused", () => {
  const layer = perHead({ embedDim: 4, numHeads: 2, numKvHeads: 1 });
  const params = layer.init(1);
  const tensors: Record<string, Tensor> = {};
  layer.apply(params, randn([1, 3, 4], { seed: 1 }), { trace: { names: ["weights"], tensors, path: "one" } });
  expect(tensors["one.weights"]!.shape).toEqual([1, 2, 3, 3]);
  expect(() => layer.apply(params, randn([3, 4], { seed: 1 }))).toThrow(
    /apply: `x` has shape \[3, 4\], expected \[B, T, 4\], as embedDim is 4/,
  );
  expect(() => splitHeads(fuseHeads(params), { numHeads: 3, numKvHeads: 1 })).toThrow(
    /splitHeads: `params.query.weight` has shape \[4, 4\].* with 3 heads of one size.\nFix: give numHeads/,
  );
  expect(() => splitHeads(params as never, { numHeads: 2, numKvHeads: 1 })).toThrow(
    /splitHeads: `params.query.weight` has shape \[2, 2, 4\].*\nFix: splitHeads goes one way; fuseHeads/,
  );
  expect(() => fuseHeads(fuseHeads(params))).toThrow(
    /fuseHeads: .*\nFix: fuseHeads goes one way; splitHeads/,
  );
  expect(linear(randn([1, 4], { seed: 1 }), fuseHeads(params).key.weight).shape).toEqual([1, 2]);
});
