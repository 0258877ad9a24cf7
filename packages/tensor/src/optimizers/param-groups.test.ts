import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { tensor } from "../create.js";
import { mul } from "../ops/mul.js";
import { randn } from "../random/randn.js";
import { mapTensors, tensorsOf } from "../tree.js";
import { adamW } from "./adam.js";
import { adafactor } from "./adafactor.js";
import type { Optimizer } from "./optimizer.js";
import { paramGroups } from "./param-groups.js";
import { sgd } from "./sgd.js";

const paramsOf = (seed: number) => ({
  embedding: randn([3, 2], { seed }),
  layers: [0, 1].map((layer) => ({
    norm: { weight: randn([2], { seed: seed + 1 + layer }) },
    linear: {
      weight: randn([2, 2], { seed: seed + 3 + layer }),
      bias: randn([2], { seed: seed + 5 + layer }),
    },
  })),
});
/** The params after three updates along themselves. */
function trained(optimizer: Optimizer, seed: number) {
  const params = paramsOf(seed);
  const state = optimizer.init(params);
  for (let step = 0; step < 3; step++) {
    const gradients = mapTensors(params, (x) => mul(x, 0.5));
    optimizer.update(params, gradients, state);
  }
  return { params, state };
}

test("property: groups of equal optimizers give the same params and state as one optimizer", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 127 }), (seed, bits) => {
      let n = 0;
      const inGroup = new Map<string, boolean>();
      mapTensors(paramsOf(0), (_, path) => void inGroup.set(path, (bits & (1 << n++)) > 0));
      const make = () => adamW({ learningRate: 0.1 });
      const groups = paramGroups([{ params: (path) => inGroup.get(path)!, optimizer: make() }], make());
      const [ours, one] = [trained(groups, seed), trained(make(), seed)];
      expect(ours.state).toEqual(one.state);
      for (const [i, x] of tensorsOf(ours.params).entries())
        expect([...x.data]).toEqual([...tensorsOf(one.params)[i]!.data]);
    }),
    { numRuns: 30 },
  );
});

test("each param has the rate and the decay of the first group that it belongs to", () => {
  const optimizer = paramGroups(
    [
      { params: /(norm\.weight|bias)$/, optimizer: sgd({ learningRate: 1 }) },
      { params: /^layers\.1\./, optimizer: sgd({ learningRate: 0.5, weightDecay: 0.25 }) },
    ],
    sgd({ learningRate: 0.25, weightDecay: 0.5 }),
  );
  const before = paramsOf(1);
  const { params, state } = trained(optimizer, 1);
  // Of a param p with the gradient p / 2, a step leaves 1 − rate · (1/2 + decay).
  const expected = mapTensors(before, (x, path) =>
    mul(x, (/norm|bias/.test(path) ? 0.5 : path.startsWith("layers.1.") ? 0.625 : 0.75) ** 3),
  );
  for (const [i, x] of tensorsOf(params).entries())
    expect(x).toBeAllclose(tensorsOf(expected)[i]!, { rtol: 1e-5, atol: 1e-6 });
  expect(state).toEqual({ step: 3, moments: {} });
});

test("each optimizer has its own moments in the common state", () => {
  const groups = () =>
    paramGroups(
      [{ params: (_, { shape }) => shape.length > 1, optimizer: adafactor() }],
      adamW({ learningRate: 0.1 }),
    );
  const { state } = trained(groups(), 3);
  expect(Object.keys(state.moments)).toEqual(["rows", "columns", "meanSquare", "mean"]);
  expect(state.moments["rows"]!.layers[0]!.norm.weight).toBeUndefined();
  expect(state.moments["mean"]!.layers[0]!.norm.weight.shape).toEqual([2]);
  expect(state.moments["meanSquare"]!.layers[0]!.norm.weight.shape).toEqual([2]);
  expect(state.step).toBe(3);
});

test("a group without params is refused before the first update", () => {
  const plain = sgd({ learningRate: 1 });
  const one = (params: RegExp | (() => boolean)) => ({ params, optimizer: plain });
  const message =
    /^paramGroups: `groups\[1\]\.params` is \/\\\.weigth\$\/, expected one that finds a param which no earlier group has; there are embedding, layers\.0\.norm\.weight, .* … 7 in all\.\nFix: correct the name/;
  const misspelt = paramGroups([one(/bias$/), one(/\.weigth$/)], plain);
  const params = paramsOf(1);
  expect(() => misspelt.init(params)).toThrow(message);
  expect(() => misspelt.update(params, params, { step: 0, moments: {} })).toThrow(message);
  expect(params.embedding.data).toEqual(paramsOf(1).embedding.data);
  expect(() => paramGroups([one(() => false)], plain).init(params)).toThrow(
    /`groups\[0\]\.params` is the function/,
  );
  const shadowed = paramGroups([one(/norm/), one(/norm\.weight$/)], plain);
  expect(() => shadowed.init(params)).toThrow(/`groups\[1\]\.params` is \/norm/);
});

test("values that are not groups, and a tensor that occurs twice, are refused", () => {
  const plain = sgd({ learningRate: 1 });
  expect(() => paramGroups([{ params: "bias", optimizer: plain } as never], plain)).toThrow(
    /^paramGroups: `groups` is .*expected groups: `params`, and their `optimizer`.\nFix: write `\{ params: \/bias\$\//,
  );
  const decayed = { params: /w/, optimizer: plain, weightDecay: 1 };
  expect(() => paramGroups([decayed], plain)).toThrow(/^paramGroups: `weightDecay` is 1, expected one of/);
  expect(() => paramGroups([], undefined as never)).toThrow(/`rest` is undefined, expected an optimizer/);
  const shared = tensor([1]);
  const groups = paramGroups([{ params: /^a$/, optimizer: plain }], plain);
  expect(() => groups.init({ a: shared, b: shared })).toThrow(
    /`params.b` is "the tensor that is also params.a"/,
  );
  const state = groups.init({ a: shared });
  expect(() => groups.update({ a: shared }, { a: tensor([1, 2]) }, state)).toThrow(/`gradients.a`/);
  expect(() => groups.update({ a: shared }, { a: shared }, shared as never)).toThrow(/^paramGroups: `state`/);
});
