import {
  cast,
  checkGradient,
  full,
  mapTensors,
  mul,
  randn,
  sigmoid,
  silu,
  sum,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { causal } from "../masks/causal.js";
import { rope } from "../positions/rope.js";
import { crossAttention } from "./cross-attention.js";
import { groupedQuery } from "./grouped-query.js";
import { multiHead } from "./multi-head.js";
import { outputGate } from "./output-gate.js";

const heads = { embedDim: 6, numHeads: 4, numKvHeads: 2, headDim: 3, mask: causal() };
const make = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const double = <T>(params: T): T => mapTensors(params, (x: Tensor) => cast(x, "float64")) as T;
const kind = fc.constantFrom("elementwise" as const, "headwise" as const);
const size = fc.integer({ min: 1, max: 5 });

test("property: logits of +∞ give plain attention, −∞ gives zeros, and other logits give neither", () => {
  fc.assert(
    fc.property(kind, size, fc.nat(1e6), (kind, T, seed) => {
      const plain = groupedQuery(heads);
      const gated = groupedQuery({ ...heads, gate: outputGate(kind), bias: true });
      const [params, x] = [double(gated.init(seed)), make([2, T, 6], seed + 1)];
      const at = (logit: number) => {
        const [rows, C] = params.gate!.weight.shape as [number, number];
        const gate = {
          weight: zeros([rows, C], { dtype: "float64" }),
          bias: full([rows], logit, { dtype: "float64" }),
        };
        return gated.apply({ ...params, gate }, x);
      };
      const whole = plain.apply(params, x);
      expect(at(Infinity)).toBeAllclose(whole, { rtol: 1e-12, atol: 1e-13 });
      expect([...at(-Infinity).data].every((y) => y === 0)).toBe(true);
      // σ(0) = ½; the output map is linear, and its bias is 0.
      expect(at(0)).toBeAllclose(mul(whole, 0.5), { rtol: 1e-12, atol: 1e-13 });
      expect(gated.apply(params, x)).not.toBeAllclose(whole, { rtol: 1e-3, atol: 1e-6 });
    }),
  );
});

test("property: each number of a head, or each head, is multiplied by its own gate", () => {
  fc.assert(
    fc.property(kind, size, fc.nat(1e6), (kind, T, seed) => {
      const [given, logits] = [
        make([2, 4, T, 3], seed),
        make([2, T, kind === "headwise" ? 4 : 12], seed + 1),
      ];
      const gated = outputGate(kind).apply(given, logits);
      gated.data.forEach((y, i) => {
        const [d, t, h, b] = [
          i % 3,
          Math.floor(i / 3) % T,
          Math.floor(i / (3 * T)) % 4,
          Math.floor(i / (12 * T)),
        ];
        const row = (b * T + t) * (kind === "headwise" ? 4 : 12);
        const logit = logits.data[row + (kind === "headwise" ? h : h * 3 + d)]!;
        expect(y).toBeCloseTo(given.data[i]! / (1 + Math.exp(-logit)), 12);
      });
    }),
  );
});

test("a layer equals the plain formula, also with another activation", () => {
  for (const activation of [sigmoid, silu]) {
    const layer = multiHead({ embedDim: 6, numHeads: 2, gate: outputGate("elementwise", { activation }) });
    const [params, x] = [double(layer.init(1)), make([1, 4, 6], 2)];
    const tensors: Record<string, Tensor> = {};
    layer.apply(params, x, { trace: { names: ["heads"], tensors } });
    const gates = activation(make([1, 4, 6], 3));
    const own = outputGate("elementwise", { activation }).apply(tensors["heads"]!, make([1, 4, 6], 3));
    expect(own.data[0]).toBeCloseTo(tensors["heads"]!.data[0]! * gates.data[0]!, 12);
  }
});

test("init: the other projections are the same as without a gate", () => {
  const [plain, gated] = [
    groupedQuery(heads).init(3),
    groupedQuery({ ...heads, gate: outputGate() }).init(3),
  ];
  for (const name of ["query", "key", "value", "output"] as const)
    expect(gated[name].weight.data).toEqual(plain[name].weight.data);
  expect(gated.gate?.weight.shape).toEqual([12, 6]);
  expect(groupedQuery({ ...heads, gate: outputGate("headwise") }).init(3).gate?.weight.shape).toEqual([4, 6]);
});

test("gradients of the input and every weight equal central differences, with rotary positions", () => {
  for (const kind of ["elementwise", "headwise"] as const) {
    const layer = groupedQuery({ ...heads, headDim: 2, rope: rope({ headDim: 2 }), gate: outputGate(kind) });
    const given = { x: make([1, 3, 6], 1), params: double(layer.init(2)) };
    const dy = make([1, 3, 6], 3);
    checkGradient(({ x, params }) => sum(mul(layer.apply(params, x), dy)), given);
  }
});

test("in cross-attention, gates are computed from the sequence of the queries", () => {
  const layer = crossAttention({ embedDim: 6, numHeads: 2, contextDim: 4, gate: outputGate("headwise") });
  const params = layer.init(1);
  expect(params.gate?.weight.shape).toEqual([2, 6]);
  expect(layer.apply(params, randn([1, 3, 6], { seed: 2 }), randn([1, 5, 4], { seed: 3 })).shape).toEqual([
    1, 3, 6,
  ]);
});

test("logits of a wrong shape, missing weights and values that are not gates are refused", () => {
  const given = make([1, 4, 3, 2], 1);
  expect(() => outputGate().apply(given, make([1, 3, 4], 2))).toThrow(
    /outputGate: `logits` has shape \[1, 3, 4\], expected \[1, 3, 8\], as heads are \[1, 4, 3, 2\]/,
  );
  expect(() => outputGate("rows" as never)).toThrow(/outputGate: `kind` is "rows"/);
  const layer = groupedQuery({ ...heads, gate: outputGate() });
  const { gate: _, ...params } = layer.init(1);
  expect(() => layer.apply(params, randn([1, 3, 6], { seed: 2 }))).toThrow(/apply: `params.gate`/);
  expect(() => groupedQuery({ ...heads, gate: sigmoid as never })).toThrow(
    /groupedQuery: `gate` .*expected one such as outputGate\(\)/,
  );
});
