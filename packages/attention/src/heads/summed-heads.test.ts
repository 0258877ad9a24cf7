import {
  cast,
  checkGradient,
  mapTensors,
  mul,
  randn,
  sum,
  tensor,
  tensorsOf,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { attention } from "../attention.js";
import { groupedQuery } from "./grouped-query.js";
import { learnedSinks } from "./learned-sinks.js";
import { multiHead } from "./multi-head.js";
import { perHead, splitHeads } from "./per-head.js";
import { qkNorm } from "./qk-norm.js";
import { summedHeads, toSummedHeads } from "./summed-heads.js";
import { causal } from "../masks/causal.js";
import { padding } from "../masks/padding.js";
import { rope } from "../positions/rope.js";

const f64 = (x: Tensor) => cast(x, "float64");
const seed = fc.nat(1000);
const count = (params: unknown) => tensorsOf(params).reduce((n, { data }) => n + data.length, 0);
const stirred = <P>(params: P): P =>
  mapTensors(params, (x, path) => f64(randn(x.shape, { seed: path.length + x.shape.length })));

test("property: toSummedHeads gives the same outputs as the original layer, to 1e-12", () => {
  const configs = fc.record({
    numKvHeads: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 2 }),
    half: fc.integer({ min: 1, max: 2 }),
    bias: fc.boolean(),
    rotary: fc.boolean(),
    padded: fc.boolean(),
  });
  fc.assert(
    fc.property(configs, seed, ({ numKvHeads, group, half, bias, rotary, padded }, seed) => {
      const [C, D, numHeads] = [5, 2 * half, numKvHeads * group];
      const shared = { embedDim: C, numHeads, sinks: learnedSinks(), softcap: 3 };
      // A row that sees nothing gives its bias alone.
      const mask = padded ? padding([0, 2]) : causal();
      const split = perHead({
        ...shared,
        numKvHeads,
        headDim: D,
        bias,
        mask,
        ...(rotary && { rope: rope({ headDim: D }) }),
      });
      const summed = summedHeads({
        ...shared,
        mask,
        scale: 1 / Math.sqrt(D),
        ...(rotary && { rope: rope({ headDim: C, rotaryDim: D }) }),
      });
      const params = stirred(split.init(seed));
      const x = f64(randn([2, 4, C], { seed }));
      const expected = split.apply(params, x);
      expect(summed.apply(toSummedHeads(params), x)).toBeAllclose(expected, { rtol: 0, atol: 1e-12 });
    }),
  );
});

test("property: the output equals Σ_h A_h x W_V^h, computed head by head", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), seed, (H, seed) => {
      const layer = summedHeads({ embedDim: 3, numHeads: H, mask: causal() });
      const params = mapTensors(layer.init(seed), f64);
      const x = f64(randn([1, 4, 3], { seed: seed + 1 }));
      const rows = x.toNested() as number[][][];
      const apply = (w: number[][], row: number[]) =>
        w.map((weights) => weights.reduce((total, one, i) => total + one * row[i]!, 0));
      const total = new Array<number>(12).fill(0);
      for (let h = 0; h < H; h++) {
        const [q, k, v] = [params.query, params.key, params.value].map(({ weight }) => {
          const w = (weight.toNested() as number[][][])[h]!;
          return tensor([[rows[0]!.map((row) => apply(w, row))]], { dtype: "float64" });
        }) as [Tensor, Tensor, Tensor];
        attention(q, k, v, { mask: causal() }).data.forEach((n, i) => (total[i]! += n));
      }
      expect(layer.apply(params, x).data).toBeAllclose(total, { rtol: 0, atol: 5e-13 });
    }),
  );
});

test("the number of weights is 4 C² in the split layer, for any number of heads, and 3 H C² in the summed one", () => {
  for (const numHeads of [1, 2, 8]) {
    const config = { embedDim: 16, numHeads };
    expect(count(multiHead(config).init(1))).toBe(4 * 16 ** 2);
    expect(count(summedHeads(config).init(1))).toBe(3 * numHeads * 16 ** 2);
  }
  const { query, key, value } = summedHeads({ embedDim: 24, numHeads: 3 }).init(2);
  for (const { weight } of [query, key, value]) {
    const variance = sum(mul(weight, weight)).data[0]! / weight.data.length;
    expect(variance * 24).toBeGreaterThan(0.85);
    expect(variance * 24).toBeLessThan(1.15);
  }
  expect(new Set([query, key, value].map(({ weight }) => weight.data[0])).size).toBe(3);
});

test("gradients of x and every weight equal central differences", () => {
  const layer = summedHeads({ embedDim: 2, numHeads: 2, mask: causal(), sinks: learnedSinks() });
  const params = mapTensors(layer.init(1), f64);
  const given = {
    params: { ...params, bias: f64(randn([2], { seed: 3 })) },
    x: f64(randn([1, 3, 2], { seed: 2 })),
  };
  const dy = f64(randn([1, 3, 2], { seed: 3 }));
  checkGradient(({ params, x }) => sum(mul(layer.apply(params, x), dy)), given);
});

test("sizes, inputs and heads that do not fit are refused with the fix", () => {
  expect(() => summedHeads({ embedDim: 2.5, numHeads: 1 })).toThrow(/summedHeads: `embedDim` is 2.5/);
  expect(() => summedHeads({ embedDim: 2, numHeads: 0 })).toThrow(
    /summedHeads: `numHeads` is 0, expected an integer/,
  );
  const layer = summedHeads({ embedDim: 2, numHeads: 1 });
  expect(() => layer.apply(layer.init(1), randn([1, 3, 4], { seed: 1 }))).toThrow(
    /`x` has shape \[1, 3, 4\], expected \[B, T, 2\], as embedDim is 2/,
  );
  const config = { embedDim: 2, numHeads: 1, numKvHeads: 1 };
  const wide = groupedQuery({ ...config, headDim: 3 });
  expect(() => toSummedHeads(splitHeads(wide.init(1), wide.config))).toThrow(
    /toSummedHeads: `params.query.weight` has shape \[1, 3, 2\], expected \[H, D, C\] with D at most C = 2/,
  );
  expect(() => toSummedHeads(perHead({ ...config, qkNorm: qkNorm() }).init(1))).toThrow(
    /toSummedHeads: `params.queryNorm`.*\nFix: a norm over C numbers/,
  );
});
