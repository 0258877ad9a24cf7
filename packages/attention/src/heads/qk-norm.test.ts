import {
  cast,
  checkGradient,
  linear,
  matmul,
  mul,
  ones,
  permute,
  randn,
  repeat,
  reshape,
  rmsNorm,
  sum,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { groupedQuery, type GroupedQueryConfig } from "./grouped-query.js";
import { qkNorm } from "./qk-norm.js";
import { rope } from "../positions/rope.js";

const seed = fc.nat(1000);
const kind = fc.constantFrom("rms" as const, "l2" as const);
const shape = { embedDim: 8, numHeads: 4, numKvHeads: 2 };

/** A layer of which queries, or keys, are `factor` times as large. */
function attended(config: GroupedQueryConfig, seed = 1, which: "query" | "key" = "query", factor = 1) {
  const layer = groupedQuery(config);
  const params = layer.init(seed);
  const tensors: Record<string, Tensor> = {};
  const scaled = { ...params, [which]: { weight: mul(params[which].weight, factor) } };
  const output = layer.apply(scaled, randn([1, 3, 8], { seed: 9 }), {
    trace: { names: ["dots", "weights"], tensors },
  });
  return { output, dots: tensors["dots"]!, weights: tensors["weights"]! };
}

test("property: scaling queries or keys by a positive number does not change the output", () => {
  const factors = fc.double({ min: 2, max: 50, noNaN: true });
  const which = fc.constantFrom("query" as const, "key" as const);
  fc.assert(
    fc.property(kind, factors, which, seed, (kind, factor, which, seed) => {
      const config = { ...shape, qkNorm: qkNorm(kind, { eps: 0 }), rope: rope({ headDim: 2 }) };
      expect(attended(config, seed, which, factor).output).toBeAllclose(attended(config, seed).output, {
        rtol: 0,
        atol: 5e-6,
      });
      expect(attended(shape, seed, which, factor).weights.data).not.toEqual(
        attended(shape, seed).weights.data,
      );
    }),
  );
});

test("property: the L2 norm of each row is √D (rms) or 1 (l2), times the gain", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), seed, (D, seed) => {
      const [x, gain] = [randn([1, 1, 3, D], { seed }), randn([D], { seed: seed + 1 })];
      for (const [kind, squared] of [
        ["rms", D],
        ["l2", 1],
      ] as const) {
        const normed = qkNorm(kind, { eps: 0 }).apply(x, ones([D]));
        expect(sum(mul(normed, normed), { axis: -1 }).data).toBeAllclose([squared, squared, squared], {
          rtol: 0,
          atol: 5e-5,
        });
        expect(qkNorm(kind, { eps: 0 }).apply(x, gain)).toBeAllclose(mul(normed, gain), {
          rtol: 0,
          atol: 5e-6,
        });
      }
    }),
  );
});

test("property: both kinds give the same scores with their default scales, and `scale` is the temperature", () => {
  fc.assert(
    fc.property(seed, (seed) => {
      const [rms, l2] = (["rms", "l2"] as const).map((kind) => ({ ...shape, qkNorm: qkNorm(kind) })) as [
        GroupedQueryConfig,
        GroupedQueryConfig,
      ];
      expect(attended(l2, seed).dots).toBeAllclose(attended(rms, seed).dots, { rtol: 0, atol: 5e-5 });
      // A cosine times the temperature.
      const { data } = attended({ ...l2, scale: 3 }, seed).dots;
      data.forEach((dot) => expect(Math.abs(dot)).toBeLessThanOrEqual(3.0001));
    }),
  );
});

test("golden: computed by hand", () => {
  const x = tensor([3, 4], { shape: [1, 1, 1, 2] }); // length 5, root mean square √12.5
  const gain = tensor([1, 10]);
  const expected = { rms: [3 / Math.sqrt(12.5), 40 / Math.sqrt(12.5)], l2: [0.6, 8] };
  for (const kind of ["rms", "l2"] as const) {
    expect(qkNorm(kind).apply(x, gain).data).toBeAllclose(expected[kind], { rtol: 0, atol: 5e-6 });
  }
  expect([qkNorm("rms").scale(4), qkNorm("l2").scale(4)]).toEqual([0.5, 2]);
});

test("the norm is applied before the rotation, which makes a difference if there is a gain", () => {
  const rotary = rope({ headDim: 2 });
  const layer = groupedQuery({ ...shape, qkNorm: qkNorm("rms", { eps: 0 }), rope: rotary });
  const gain = { weight: tensor([1, 3]) };
  const params = { ...layer.init(1), queryNorm: gain, keyNorm: gain };
  const tensors: Record<string, Tensor> = {};
  const x = randn([1, 3, 8], { seed: 2 });
  layer.apply(params, x, { trace: { names: ["dots"], tensors } });
  // Moving all tokens together leaves the scores, since nothing follows the turn.
  const moved: Record<string, Tensor> = {};
  layer.apply(params, x, { positions: { start: 7 }, trace: { names: ["dots"], tensors: moved } });
  expect(moved["dots"]!).toBeAllclose(tensors["dots"]!, { rtol: 0, atol: 5e-5 });
});

test("gradients of rows and gain equal central differences", () => {
  const f64 = (x: Tensor) => cast(x, "float64");
  const given = { x: f64(randn([1, 2, 2, 3], { seed: 1 })), gain: f64(randn([3], { seed: 2 })) };
  const dy = f64(randn([1, 2, 2, 3], { seed: 3 }));
  for (const kind of ["rms", "l2"] as const) {
    checkGradient(({ x, gain }) => sum(mul(qkNorm(kind).apply(x, gain), dy)), given);
  }
});

test("an unknown kind, and missing gains, are refused with the fix", () => {
  expect(() => qkNorm("layer" as never)).toThrow(/qkNorm: `kind` is "layer", expected "rms" or "l2"/);
  const layer = groupedQuery({ ...shape, qkNorm: qkNorm() });
  const { queryNorm: _, ...without } = layer.init(1);
  expect(() => layer.apply(without, randn([1, 2, 8], { seed: 1 }))).toThrow(
    /`params.queryNorm` is undefined, expected \{ weight \} of shape \[D\].*\nFix: take the params of/,
  );
});

test("with `over: heads`, a token is normalized over all heads, with one gain per number", () => {
  const { gain, apply, scale } = qkNorm("rms", { eps: 0, over: "heads" });
  expect([gain?.(4, 2), scale(4)]).toEqual([[8], 0.5]);
  const [x, weight] = [randn([2, 4, 3, 2], { seed: 1 }), randn([8], { seed: 2 })];
  const normed = apply(x, weight);
  for (const [b, t] of [
    [0, 0],
    [1, 2],
  ] as const) {
    const at = (of: Tensor, h: number, d: number) => of.data[((b * 4 + h) * 3 + t) * 2 + d]!;
    const row = Array.from({ length: 8 }, (_, i) => at(x, i >> 1, i & 1));
    const size = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / 8);
    const expected = row.map((v, i) => (v / size) * weight.data[i]!);
    const own = row.map((_, i) => at(normed, i >> 1, i & 1));
    expect(own).toBeAllclose(expected, { rtol: 0, atol: 1e-5 });
  }
  const layer = groupedQuery({ ...shape, qkNorm: qkNorm("rms", { over: "heads" }) });
  const { queryNorm, keyNorm } = layer.init(1);
  expect([queryNorm?.weight.shape, keyNorm?.weight.shape]).toEqual([[8], [4]]);
  expect(() => qkNorm("l2", { over: "heads" })).toThrow(/`over` is "heads", expected "head" for l2/);
});

test("with `afterRope`, the gain multiplies the rotated numbers; without a gain, the order makes no difference", () => {
  const rotary = rope({ headDim: 2 });
  const config = { ...shape, rope: rotary };
  const x = randn([1, 3, 8], { seed: 9 });
  const [before, after] = (["beforeRope", "afterRope"] as const).map((place) =>
    groupedQuery({ ...config, qkNorm: qkNorm("rms", { place }) }),
  ) as [ReturnType<typeof groupedQuery>, ReturnType<typeof groupedQuery>];
  const gains = { queryNorm: { weight: tensor([2, 0.5]) }, keyNorm: { weight: tensor([1, 3]) } };
  const params = { ...before.init(1), ...gains };
  const q = (layer: typeof before) => {
    const tensors: Record<string, Tensor> = {};
    layer.apply(params, x, { trace: { names: ["dots"], tensors } });
    return tensors["dots"]!;
  };
  expect(q(after).data[1]).not.toBeCloseTo(q(before).data[1]!, 2);
  const heads = (weight: Tensor, count: number) =>
    permute(reshape(linear(x, weight), [1, 3, count, 2]), [0, 2, 1, 3]);
  const [query, key] = [heads(params.query.weight, 4), heads(params.key.weight, 2)].map((y) =>
    rotary.apply(y, { start: 0 }),
  ) as [Tensor, Tensor];
  const normed = (y: Tensor, gain: Tensor) => rmsNorm(y, gain, { eps: 1e-6 });
  const keys = repeat(normed(key, gains.keyNorm.weight), 2, 1);
  const dots = matmul(normed(query, gains.queryNorm.weight), permute(keys, [0, 1, 3, 2]));
  expect(q(after)).toBeAllclose(mul(dots, Math.SQRT1_2), { rtol: 0, atol: 1e-5 });

  const unit = (place: "beforeRope" | "afterRope") =>
    groupedQuery({ ...config, qkNorm: qkNorm("rms", { gain: false, place }) });
  expect("queryNorm" in unit("afterRope").init(1)).toBe(false);
  const [a, b] = [unit("beforeRope"), unit("afterRope")].map((layer) => layer.apply(layer.init(1), x));
  expect(a).toBeAllclose(b!, { rtol: 0, atol: 1e-6 });
  expect(() => qkNorm("rms", { gain: false, over: "heads" })).toThrow(/qkNorm: `gain` is false/);
});

test("with `values`, values are normalized head by head, without a gain", () => {
  const config = { embedDim: 8, numHeads: 2, numKvHeads: 1 };
  const [plain, normed] = [false, true].map((values) =>
    groupedQuery({ ...config, qkNorm: qkNorm("rms", { values }) }),
  ) as [ReturnType<typeof groupedQuery>, ReturnType<typeof groupedQuery>];
  const params = plain.init(1);
  const x = randn([1, 3, 8], { seed: 9 });
  expect(normed.values(params, x)).toBeAllclose(rmsNorm(plain.values(params, x), ones([4]), { eps: 1e-6 }), {
    rtol: 0,
    atol: 1e-6,
  });
  expect(normed.apply(params, x)).not.toBeAllclose(plain.apply(params, x), { rtol: 0, atol: 1e-3 });
  expect(() => qkNorm("rms", { values: 1 as never })).toThrow(/qkNorm: `values` is 1, expected a boolean/);
});
