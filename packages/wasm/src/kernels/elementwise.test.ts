import * as t from "@qkv/tensor";
import { mul, permute, randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { casesByTier } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";
import { agree, ulp } from "@qkv/test-support/agreement";

const unary: Record<string, (x: Tensor) => Tensor> = {
  neg: t.neg,
  abs: t.abs,
  exp: t.exp,
  log: t.log,
  tanh: t.tanh,
  sqrt: t.sqrt,
  rsqrt: t.rsqrt,
  reciprocal: t.reciprocal,
  floor: t.floor,
  ceil: t.ceil,
  sign: t.sign,
  relu: t.relu,
  sigmoid: t.sigmoid,
  silu: t.silu,
  softplus: t.softplus,
  swish: (x) => t.swish(x, { alpha: 1.7 }),
  gelu: t.gelu,
  geluTanh: (x) => t.gelu(x, { approximate: "tanh" }),
};

const binary: Record<string, (a: Tensor, b: Tensor) => Tensor> = {
  add: t.add,
  sub: t.sub,
  mul: t.mul,
  div: t.div,
  maximum: t.maximum,
  minimum: t.minimum,
  less: t.less,
  lessEqual: t.lessEqual,
  greater: t.greater,
  greaterEqual: t.greaterEqual,
  equal: t.equal,
  notEqual: t.notEqual,
};

/** Numbers at the edges: infinities, NaN, both zeros, denormals, powers that overflow and vanish. */
const edges = [
  ...[-Infinity, Infinity, NaN, 0, -0, 1e-40, -1e-40, 88.7, -87.3, 104, -104, 1e4, -1e4, 3, -3],
  ...[0.5, -0.5, 0.7, 1e-6, 2.5, 30, -30, 5.5, -5.5],
];
const length = fc.constantFrom(1, 2, 3, 4, 5, 7, 16, 33, 130);

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "elementwise kernels, %s build",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test.each(Object.keys(unary))("property: %s, of any strides, equals the plain device", (name) => {
      const f = unary[name]!;
      const check = (x: Tensor) => agree(device, f, [x], { ops: [name], tolerance: 1e-6 });
      check(tensor(edges));
      check(randn([2, 40_000], { seed: 1 }));
      fc.assert(
        fc.property(length, length, fc.nat(1e6), (rows, n, seed) => {
          const x = mul(randn([rows, n], { seed }), 4);
          check(x);
          agree(device, (x) => f(permute(x, [1, 0])), [x], { ops: [name], tolerance: 1e-6 });
        }),
        { numRuns: 10 },
      );
    });

    test.each(Object.keys(binary))("property: %s, with broadcasting, equals the plain device", (name) => {
      const f = binary[name]!;
      const check = (...inputs: Tensor[]) => agree(device, f, inputs, { ops: [name], tolerance: 1e-6 });
      check(tensor(edges), tensor([...edges].reverse()));
      check(randn([2, 40_000], { seed: 1 }), randn([2, 1], { seed: 2 }));
      fc.assert(
        fc.property(length, length, length, fc.nat(3), fc.nat(1e6), (a, b, c, ones, seed) => {
          const x = randn([a, b, c], { seed });
          const y = randn([...(ones & 2 ? [a] : []), ones & 1 ? 1 : b, ones === 3 ? 1 : c], {
            seed: seed + 1,
          });
          check(x, y);
          check(y, x);
          const permuted = (x: Tensor, y: Tensor) => f(permute(x, [2, 0, 1]), y);
          agree(device, permuted, [x, randn([b], { seed: 3 })], { ops: [name], tolerance: 1e-6 });
        }),
        { numRuns: 10 },
      );
    });

    test("`where` with conditions of any shape equals the plain device", () => {
      const [a, b] = [randn([5, 3, 9], { seed: 1 }), randn([9], { seed: 2 })];
      agree(device, (a, b) => t.where(t.greater(a, 0), a, b), [a, b], { ops: ["where", "greater"] });
      agree(device, (a, b) => t.where(t.greater(b, 0), 0, permute(a, [1, 0, 2])), [a, b], { ops: ["where"] });
    });

    test("copies of permuted tensors equal the plain device", () => {
      const x = randn([3, 5, 7, 4], { seed: 1 });
      agree(device, (x) => t.contiguous(permute(x, [0, 2, 1, 3])), [x], { ops: ["copy"] });
      agree(device, (x) => t.contiguous(permute(x, [3, 2, 1, 0])), [x], { ops: ["copy"] });
    });

    test("exp, log and tanh are within two units in the last place over their range, softplus within three", () => {
      const near = Float32Array.from({ length: 200_001 }, (_, i) => -87 + (i * 175) / 200_000);
      const sizes = Float32Array.from({ length: 200_001 }, (_, i) => 2 ** (-126 + (i * 253) / 200_000));
      const measured = [
        [t.exp, Math.exp, near, 2],
        [t.softplus, (x: number) => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x))), near, 3],
        [t.tanh, Math.tanh, Float32Array.from(near, (x) => x / 10), 2],
        [t.tanh, Math.tanh, Float32Array.from(sizes, (x) => Math.min(x, 50)), 2],
        [t.log, Math.log, sizes, 2],
        [t.log, Math.log, Float32Array.from({ length: 200_001 }, (_, i) => 0.5 + i / 100_000), 2],
      ] as const;
      for (const [f, exact, xs, most] of measured) {
        let worst = 0;
        f(tensor(xs, { device })).data.forEach((y, i) => {
          const wanted = exact(xs[i]!);
          worst = Math.max(worst, Math.abs(y - wanted) / ulp(wanted));
        });
        expect(worst).toBeLessThanOrEqual(most);
      }
    });

    test("sigmoid, SiLU and GELU have an error below 2.5e-7 relative to max(1, |x|)", () => {
      const xs = Float32Array.from({ length: 200_001 }, (_, i) => -20 + i / 5000);
      for (const name of ["sigmoid", "silu", "gelu", "geluTanh"]) {
        const wanted = unary[name]!(tensor(xs, { dtype: "float64" })).data;
        let worst = 0;
        unary[name]!(tensor(xs, { device })).data.forEach((y, i) => {
          worst = Math.max(worst, Math.abs(y - wanted[i]!) / Math.max(1, Math.abs(xs[i]!)));
        });
        expect(worst).toBeLessThan(2.5e-7);
      }
    });

    test("GELU has a relative error below 5e-7 where its result is a normal float32", () => {
      // At -12.5 it is about 5e-35.
      const xs = Float32Array.from({ length: 200_001 }, (_, i) => -12.5 + i / 10_000);
      const wanted = t.gelu(tensor(xs, { dtype: "float64" })).data;
      let worst = 0;
      t.gelu(tensor(xs, { device })).data.forEach((y, i) => {
        if (xs[i] !== 0) worst = Math.max(worst, Math.abs(y - wanted[i]!) / Math.abs(wanted[i]!));
      });
      expect(worst).toBeLessThan(5e-7);
    });

    test("gradients of activations have an error of at most 2e-6, and are 0 or 1 for large arguments", () => {
      const xs = [
        ...Array.from({ length: 20_001 }, (_, i) => -20 + i / 500),
        -1e30,
        1e30,
        -Infinity,
        Infinity,
        NaN,
      ];
      for (const name of ["silu", "gelu", "geluTanh"]) {
        const slope = t.grad((x: t.Tensor) => t.sum(unary[name]!(x)));
        const wanted = slope(tensor(xs, { dtype: "float64" })).data;
        const slopes = slope(tensor(xs, { device })).data;
        expect(slopes, name).toBeAllclose(wanted, { rtol: 0, atol: 2e-6, equalNan: true });
      }
    });
  },
);
