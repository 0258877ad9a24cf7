import type { Cache, KeyValues, TraceName } from "@qkv/attention-contract";
import {
  add,
  cast,
  checkGradient,
  concat,
  linear,
  mapTensors,
  matmul,
  mul,
  randn,
  reshape,
  slice,
  sum,
  take,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { plainCache, unusedMethods } from "@qkv/test-support/attention-cache";
import { attention, attentionWeights } from "../attention.js";
import { groupedQuery, type AttentionLayer, type LinearParams } from "./grouped-query.js";
import { learnedSinks } from "./learned-sinks.js";
import { multiHead } from "./multi-head.js";
import { qkNorm } from "./qk-norm.js";
import { and } from "../masks/and.js";
import { causal } from "../masks/causal.js";
import { padding } from "../masks/padding.js";
import { slidingWindow } from "../masks/sliding-window.js";
import { rope } from "../positions/rope.js";
import { scoreMod } from "../score-mod.js";

const sizes = fc.record({
  numKvHeads: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 3 }),
  half: fc.integer({ min: 1, max: 2 }),
  seed: fc.nat(1000),
});

const layers = fc
  .record({
    sizes,
    bias: fc.boolean(),
    rotary: fc.boolean(),
    window: fc.option(fc.integer({ min: 1, max: 4 })),
  })
  .map(({ sizes: { numKvHeads, group, half, seed }, bias, rotary, window }) => {
    const numHeads = numKvHeads * group;
    const layer = groupedQuery({
      embedDim: 2 * half * numHeads,
      numHeads,
      numKvHeads,
      bias,
      mask: window === null ? causal() : slidingWindow(window),
      ...(rotary && { rope: rope({ headDim: 2 * half }) }),
    });
    return { layer, params: layer.init(seed), seed };
  });

const input = ({ config: { embedDim } }: AttentionLayer, T: number, seed: number) =>
  randn([2, T, embedDim], { seed });

test("property: with a cache, chunks of any size give the same as the full pass, bit for bit", () => {
  const chunks = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(layers, chunks, ({ layer, params, seed }, chunks) => {
      const T = chunks.reduce((a, b) => a + b, 0);
      const x = input(layer, T, seed + 9);
      const cache = plainCache();
      let at = 0;
      const parts = chunks.map((size) => layer.apply(params, slice(x, 1, at, (at += size)), { cache }));
      expect(concat(parts, 1).data).toEqual(layer.apply(params, x).data);
      expect(cache.length).toBe(T);
    }),
  );
});

test("property: a layer equals its formula: project, rotate, attend, concatenate heads, project", () => {
  fc.assert(
    fc.property(layers, ({ layer, params, seed }) => {
      const { numHeads, numKvHeads, headDim: D, embedDim: C, mask, rope } = layer.config;
      const x = input(layer, 3, seed);
      const rows = (x: Tensor, h: number) => slice(x, 0, h * D, (h + 1) * D);
      // One head by itself: [B, 1, T, D].
      const head = ({ weight, bias }: LinearParams, h: number) =>
        reshape(linear(x, rows(weight, h), bias && rows(bias, h)), [2, 1, 3, D]);
      const rotate = (x: Tensor) => (rope ? rope.apply(x, { start: 0 }) : x);
      let sum: Tensor | undefined;
      for (let h = 0; h < numHeads; h++) {
        const kvHead = Math.floor((h * numKvHeads) / numHeads);
        const mixed = attention(
          rotate(head(params.query, h)),
          rotate(head(params.key, kvHead)),
          head(params.value, kvHead),
          { mask: mask! },
        );
        const part = linear(reshape(mixed, [2, 3, D]), slice(params.output.weight, 1, h * D, (h + 1) * D));
        sum = sum ? add(sum, part) : part;
      }
      const expected = params.output.bias ? add(sum!, params.output.bias) : sum!;
      const actual = layer.apply(params, x);
      expect(actual.shape).toEqual([2, 3, C]);
      expect(actual.data).toBeAllclose(expected.data, { rtol: 0, atol: 5e-6 });
    }),
  );
});

test("property: a grouped-query layer equals the multi-head layer with repeated key-value heads", () => {
  fc.assert(
    fc.property(sizes, ({ numKvHeads, group, half, seed }) => {
      const [numHeads, headDim] = [numKvHeads * group, 2 * half];
      const shape = { embedDim: 5, numHeads, headDim, mask: causal() };
      const [grouped, whole] = [groupedQuery({ ...shape, numKvHeads }), multiHead(shape)];
      const params = grouped.init(seed);
      const repeated = ({ weight }: LinearParams): LinearParams => {
        const rows = Array.from({ length: numHeads * headDim }, (_, row) => {
          const kvHead = Math.floor(Math.floor(row / headDim) / group);
          return kvHead * headDim + (row % headDim);
        });
        return { weight: take(weight, 0, tensor(rows, { dtype: "int32" })) };
      };
      const x = input(grouped, 4, seed + 1);
      const wide = { ...params, key: repeated(params.key), value: repeated(params.value) };
      expect(grouped.apply(params, x).data).toEqual(whole.apply(wide, x).data);
    }),
  );
});

test("property: names of traced tensors start with the path, and tracing does not change the output", () => {
  fc.assert(
    fc.property(layers, ({ layer, params, seed }) => {
      const x = input(layer, 3, seed);
      const names: TraceName[] = ["weights", "lse"];
      const plain: Record<string, Tensor> = {};
      const nested: Record<string, Tensor> = {};
      const output = layer.apply(params, x, { trace: { names, tensors: plain } });
      layer.apply(params, x, { trace: { names, tensors: nested, path: "layers.3.attention" } });
      expect(output.data).toEqual(layer.apply(params, x).data);
      expect(Object.keys(plain)).toEqual(names);
      expect(Object.keys(nested)).toEqual(["layers.3.attention.weights", "layers.3.attention.lse"]);
      expect(nested["layers.3.attention.weights"]!.data).toEqual(plain["weights"]!.data);
      expect(plain["weights"]!.shape).toEqual([2, layer.config.numHeads, 3, 3]);
    }),
  );
});

test("by default, positions follow the tokens that the cache has seen", () => {
  const layer = groupedQuery({
    embedDim: 8,
    numHeads: 2,
    numKvHeads: 1,
    rope: rope({ headDim: 4 }),
    mask: causal(),
  });
  const params = layer.init(1);
  const x = input(layer, 3, 2);
  const plain = layer.apply(params, x).data;
  // Only distances matter to a rotary layer, up to rounding.
  expect(layer.apply(params, x, { positions: { start: 50 } }).data).toBeAllclose(plain, {
    rtol: 0,
    atol: 5e-5,
  });
  const apart = layer.apply(params, x, { positions: Int32Array.of(0, 10, 20) }).data;
  expect(Math.max(...[...apart].map((number, i) => Math.abs(number - plain[i]!)))).toBeGreaterThan(0.01);
});

test("`layer` selects the layer of the cache", () => {
  const layer = groupedQuery({ embedDim: 4, numHeads: 1, numKvHeads: 1 });
  const asked: number[] = [];
  const cache = plainCache();
  const noting: Cache = {
    ...unusedMethods,
    length: 0,
    update: (n, key, value) => (asked.push(n), cache.update(n, key, value)),
  };
  layer.apply(layer.init(1), input(layer, 1, 1), { cache: noting, layer: 2 });
  layer.apply(layer.init(1), input(layer, 1, 1), { cache: noting });
  expect(asked).toEqual([2, 0]);
});

test("scale and softcap are passed to attention", () => {
  const shape = { embedDim: 4, numHeads: 1, numKvHeads: 1 };
  const layer = groupedQuery({ ...shape, scale: 3, softcap: 0.5 });
  const params = layer.init(1);
  const x = input(layer, 3, 2);
  const tensors: Record<string, Tensor> = {};
  layer.apply(params, x, { trace: { names: ["weights"], tensors } });
  const [q, k] = [params.query, params.key].map(({ weight }) => reshape(linear(x, weight), [2, 1, 3, 4])) as [
    Tensor,
    Tensor,
  ];
  expect(tensors["weights"]!.data).toEqual(attentionWeights(q, k, { scale: 3, softcap: 0.5 }).data);
  expect(tensors["weights"]!.data).not.toEqual(attentionWeights(q, k).data);
});

test("a score mod is passed to attention", () => {
  const shape = { embedDim: 4, numHeads: 1, numKvHeads: 1, mask: causal() };
  const [layer, plain] = [
    groupedQuery({ ...shape, scoreMod: scoreMod((score, at) => score.sub(at.query.sub(at.key).mul(1e9))) }),
    groupedQuery(shape),
  ];
  const [params, x] = [layer.init(1), input(layer, 3, 2)];
  // So far down does distance pull that a query sees itself alone.
  const alone = groupedQuery({ ...shape, mask: slidingWindow(1) }).apply(params, x).data;
  expect(layer.apply(params, x).data).toEqual(alone);
  expect(plain.apply(params, x).data).not.toEqual(alone);
});

test("init: the same seed gives the same weights, all matrices differ, their variance is 1 / fan-in, and biases are 0", () => {
  const layer = groupedQuery({ embedDim: 64, numHeads: 4, numKvHeads: 2, headDim: 24, bias: true });
  const params = layer.init(7);
  const projections = ({ query, key, value, output }: typeof params) => [query, key, value, output];
  expect(projections(params).map(({ weight, bias }) => [weight.shape, bias?.shape])).toEqual([
    [[96, 64], [96]],
    [[48, 64], [48]],
    [[48, 64], [48]],
    [[64, 96], [64]],
  ]);
  expect(layer.init(7).value.weight.data).toEqual(params.value.weight.data);
  const firsts = [params, layer.init(8)].flatMap((p) => projections(p).map(({ weight }) => weight.data[0]));
  expect(new Set(firsts).size).toBe(8);
  for (const { weight, bias } of projections(params)) {
    const flat = reshape(weight, [1, -1]);
    const variance = matmul(flat, reshape(flat, [-1, 1])).data[0]! / weight.data.length;
    expect(variance * weight.shape[1]!).toBeGreaterThan(0.9);
    expect(variance * weight.shape[1]!).toBeLessThan(1.1);
    expect(bias!.data.every((number: number) => number === 0)).toBe(true);
  }
  expect(groupedQuery({ embedDim: 4, numHeads: 1, numKvHeads: 1 }).init(1).query.bias).toBeUndefined();
});

test("golden: one head, uniform weights average the values", () => {
  // Queries of 0 match all keys equally; values are x doubled; the output adds both numbers, and 1.
  const layer = groupedQuery({ embedDim: 2, numHeads: 1, numKvHeads: 1, mask: causal() });
  const eye = tensor([
    [1, 0],
    [0, 1],
  ]);
  const params = {
    query: { weight: mul(eye, 0) },
    key: { weight: eye },
    value: { weight: mul(eye, 2) },
    output: {
      weight: tensor([
        [1, 1],
        [1, -1],
      ]),
      bias: tensor([1, 0]),
    },
  };
  expect(
    layer
      .apply(
        params,
        tensor([
          [
            [1, 2],
            [3, 6],
          ],
        ]),
      )
      .toNested(),
  ).toEqual([
    [
      [7, -2],
      [13, -4],
    ],
  ]);
});

test("sizes that do not divide, and inputs of another width, are refused with the fix", () => {
  const shape = { embedDim: 8, numHeads: 4, numKvHeads: 2 };
  expect(() => groupedQuery({ ...shape, numKvHeads: 3 })).toThrow(
    /groupedQuery: `numKvHeads` is 3, expected a divisor of numHeads = 4.\nFix: each key-value head serves/,
  );
  expect(() => groupedQuery({ ...shape, embedDim: 10 })).toThrow(
    /`headDim` is 2.5, expected an integer, and embedDim = 10 divided by numHeads = 4 is none.\nFix: choose numHeads/,
  );
  for (const wrong of [{ embedDim: 0 }, { numHeads: 1.5 }, { numKvHeads: -1 }]) {
    const [[name, value]] = Object.entries(wrong) as [[string, number]];
    expect(() => groupedQuery({ ...shape, ...wrong })).toThrow(
      new RegExp(`\`${name}\` is ${value}, expected an integer, 1 or more`),
    );
  }
  expect(groupedQuery({ ...shape, embedDim: 10, headDim: 3 }).config.headDim).toBe(3);
  const layer = groupedQuery(shape);
  for (const wrong of [
    [1, 2, 9],
    [2, 8],
  ]) {
    expect(() => layer.apply(layer.init(1), randn(wrong, { seed: 1 }))).toThrow(
      /apply: `x` has shape .*, expected \[B, T, 8\], as embedDim is 8.\nFix: give batches of rows/,
    );
  }
});

const apart = (heads: number[]) => fc.record({ numKvHeads: fc.constantFrom(...heads), seed: fc.nat(1000) });

test("property: keys and values are projected from the context, whether it is projected in the call or before", () => {
  fc.assert(
    fc.property(apart([1, 2, 4]), fc.integer({ min: 1, max: 5 }), ({ numKvHeads, seed }, S) => {
      const layer = groupedQuery({ embedDim: 8, numHeads: 4, numKvHeads, contextDim: 3, bias: true });
      const params = layer.init(seed);
      const [x, context] = [input(layer, 2, seed), randn([2, S, 3], { seed: seed + 1 })];
      const output = layer.apply(params, x, { context });
      const kept = layer.keyValues(params, context);
      expect(kept.key).toMatchObject([{ shape: [2, numKvHeads, S, 2] }]);
      expect(layer.apply(params, x, { context: kept }).data).toEqual(output.data);
      // Queries do not see each other: one by one they give the same.
      const alone = [0, 1].map((t) => layer.apply(params, slice(x, 1, t, t + 1), { context: kept }));
      expect(concat(alone, 1).data).toEqual(output.data);
    }),
  );
});

test("golden: values come only from the context, also if it is as wide as x", () => {
  const layer = groupedQuery({ embedDim: 1, numHeads: 1, numKvHeads: 1 });
  const one = { weight: tensor([[1]]) };
  const params = { query: { weight: tensor([[0]]) }, key: one, value: one, output: one };
  const x = tensor([[[100], [200]]]);
  expect(layer.apply(params, x, { context: tensor([[[1], [2], [6]]]) }).toNested()).toEqual([[[3], [3]]]);
});

test("property: with x as the context, the layer equals self-attention, bit for bit", () => {
  fc.assert(
    fc.property(sizes, ({ numKvHeads, group, seed }) => {
      const layer = groupedQuery({ embedDim: 6, numHeads: numKvHeads * group, numKvHeads, headDim: 3 });
      const [params, x] = [layer.init(seed), input(layer, 4, seed + 1)];
      expect(layer.apply(params, x, { context: x }).data).toEqual(layer.apply(params, x).data);
    }),
  );
});

test("a context together with a rope or a cache, or of another width, is refused with the fix", () => {
  const shape = { embedDim: 8, numHeads: 2, numKvHeads: 1, contextDim: 3 };
  const layer = groupedQuery(shape);
  const [params, x, context] = [layer.init(1), input(layer, 2, 1), randn([2, 4, 3], { seed: 1 })];
  expect(() => layer.apply(params, x)).toThrow(
    /apply: `x` has shape \[2, 2, 8\], expected \[B, T, 3\], as contextDim is 3.\nFix: give the sequence .* as `context`/,
  );
  expect(() => layer.apply(params, x, { context: x })).toThrow(
    /keyValues: `context` has shape \[2, 2, 8\], expected \[B, S, 3\], as contextDim is 3/,
  );
  expect(() => layer.apply(params, x, { context, cache: plainCache() })).toThrow(
    /`context` is "beside a cache".*\nFix: project a context once with `layer.keyValues/,
  );
  const rotary = groupedQuery({ ...shape, rope: rope({ headDim: 4 }) });
  expect(() => rotary.apply(params, x, { context })).toThrow(/Fix: leave `rope` out/);
  expect(() => rotary.keyValues(params, context)).toThrow(/Fix: leave `rope` out/);
});

test("gradients of x, the context and every weight equal central differences", () => {
  const layer = groupedQuery({
    embedDim: 4,
    numHeads: 2,
    numKvHeads: 1,
    contextDim: 3,
    bias: true,
    qkNorm: qkNorm(),
    sinks: learnedSinks(),
    softcap: 2,
  });
  const f64 = (x: Tensor) => cast(x, "float64");
  const params = mapTensors(layer.init(1), f64);
  const given = {
    params,
    x: f64(randn([1, 2, 4], { seed: 2 })),
    context: f64(randn([1, 3, 3], { seed: 3 })),
  };
  const dy = f64(randn([1, 2, 4], { seed: 4 }));
  checkGradient(({ params, x, context }) => sum(mul(layer.apply(params, x, { context }), dy)), given);
});

test("the mask of a call is combined with that of the layer, and its bias is added", () => {
  const layer = groupedQuery({ embedDim: 8, numHeads: 2, numKvHeads: 1, mask: causal() });
  const params = layer.init(1);
  const x = randn([2, 4, 8], { seed: 2 });
  const both = layer.apply(params, x, { mask: padding([4, 2]) });
  const whole = layer.apply(params, x);
  expect(slice(both, 0, 0, 1).data).toEqual(slice(whole, 0, 0, 1).data);
  // Up to the padding nothing changes; after it tokens see the first two alone.
  const second = (y: Tensor, from: number, to: number) => slice(slice(y, 0, 1), 1, from, to).data;
  expect(second(both, 0, 2)).toEqual(second(whole, 0, 2));
  expect(second(both, 2, 4)).not.toEqual(second(whole, 2, 4));
  const hidden = groupedQuery({ ...layer.config, mask: and(causal(), padding([4, 2])) });
  expect(both.data).toEqual(hidden.apply(params, x).data);
  // The same as numbers: what is hidden is -Infinity.
  const bias = tensor(
    Array.from({ length: 2 * 4 }, (_, i) => (i % 4 < (i < 4 ? 4 : 2) ? 0 : -Infinity)),
    { shape: [2, 1, 1, 4] },
  );
  expect(layer.apply(params, x, { bias }).data).toEqual(both.data);
});

test("the option `linear` computes the projections, and only these", () => {
  const seen: Tensor[] = [];
  const layer = groupedQuery({
    embedDim: 8,
    numHeads: 2,
    numKvHeads: 1,
    linear: (x, weight, bias) => {
      seen.push(weight);
      return linear(x, weight, bias);
    },
  });
  const { linear: _own, ...plain } = layer.config;
  const params = layer.init(1);
  const x = randn([1, 4, 8], { seed: 2 });
  expect(layer.apply(params, x).data).toEqual(groupedQuery(plain).apply(params, x).data);
  const { query, key, value, output } = params;
  expect(new Set(seen)).toEqual(new Set([query.weight, key.weight, value.weight, output.weight]));
});

test("with sharedKeyValues, a call reads the given keys and values, and computes and appends none", () => {
  const config = { embedDim: 8, numHeads: 4, numKvHeads: 2, mask: causal(), rope: rope({ headDim: 2 }) };
  const [first, second] = [groupedQuery(config), groupedQuery({ ...config, qkNorm: qkNorm() })];
  const own = first.init(1);
  const { key: _key, value: _value, keyNorm: _norm, ...params } = second.init(2);
  const x = randn([1, 5, 8], { seed: 3 });
  const rows = (from: number, to: number) => slice(x, 1, from, to);
  const holding = () => {
    const inner = plainCache();
    let given: KeyValues | undefined;
    const update: Cache["update"] = (...call) => (given = inner.update(...call));
    const cache = { ...unusedMethods, update, length: 0 };
    return { cache, read: () => given!, appended: () => inner.length };
  };
  const held = holding();
  first.apply(own, x, { cache: held.cache });
  // By hand: a layer with the first one's keys, which it rotates itself, and its own queries.
  const whole = second.apply(params as never, x, { sharedKeyValues: held.read() });
  expect(whole.shape).toEqual([1, 5, 8]);
  const without = groupedQuery({
    ...config,
    qkNorm: {
      ...qkNorm(),
      apply: (y, gain) => (gain === params.queryNorm!.weight ? qkNorm().apply(y, gain) : y),
    },
  });
  const expected = without.apply(
    { ...params, key: own.key, value: own.value, keyNorm: { weight: tensor([1, 1]) } },
    x,
  );
  expect(whole).toBeAllclose(expected, { rtol: 0, atol: 1e-6 });

  const parts = holding();
  for (const [from, to] of [
    [0, 3],
    [3, 5],
  ] as const) {
    first.apply(own, rows(from, to), { cache: parts.cache, positions: { start: from } });
    const part = second.apply(params as never, rows(from, to), { sharedKeyValues: parts.read() });
    expect(part).toBeAllclose(slice(whole, 1, from, to), { rtol: 0, atol: 1e-6 });
  }
  expect(parts.appended()).toBe(5);
  for (const options of [
    { sharedKeyValues: null },
    { sharedKeyValues: x },
    { sharedKeyValues: held.read(), context: x },
  ])
    expect(() => second.apply(params as never, x, options as never)).toThrow(/apply: `sharedKeyValues` is/);
});
