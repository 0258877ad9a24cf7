import * as t from "@qkv/tensor";
import { grad, mul, randn, sum, tensor, type Device, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";
import { agree } from "@qkv/test-support/agreement";

const length = fc.constantFrom(1, 2, 3, 5, 8, 17, 64, 67, 300);

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "reductions and norms, %s build",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test.each(["sum", "mean", "max", "min"] as const)(
      "property: %s along any axes equals the plain device",
      (op) => {
        fc.assert(
          fc.property(length, length, length, fc.nat(1e6), (a, b, c, seed) => {
            const x = randn([a, b, c], { seed });
            for (const axis of [0, 1, 2, [0, 1], [1, 2], [0, 1, 2], [0, 2]] as const) {
              for (const keepDims of [false, true]) {
                const f = (x: Tensor) => t[op](x, { axis: axis as number | number[], keepDims });
                agree(device, f, [x], { tolerance: 1e-6 });
              }
            }
          }),
          { numRuns: 8 },
        );
        agree(device, (x) => t[op](x, { axis: 1 }), [randn([3, 70], { seed: 1 })], { ops: [op] });
        agree(device, (x) => t[op](x, { axis: 0 }), [randn([70, 3], { seed: 1 })], { ops: [op] });
      },
    );

    test("max and min of NaN are NaN, and sums of infinities are infinite or NaN", () => {
      const x = tensor([
        [1, NaN, 3, 4, 5],
        [Infinity, -Infinity, 0, 0, 1],
        [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      ]);
      for (const op of ["sum", "mean", "max", "min"] as const) {
        for (const axis of [0, 1]) agree(device, (x) => t[op](x, { axis }), [x], { ops: [op] });
      }
    });

    test("the sum of a million numbers is accurate", () => {
      const x = t.add(mul(t.uniform([2 ** 20], { seed: 1 }), 1e-3), 1);
      agree(device, (x) => sum(x), [x], { ops: ["sum"], tolerance: 1e-7 });
      agree(device, (x) => sum(x, { axis: 0 }), [t.reshape(x, [2 ** 19, 2])], {
        ops: ["sum"],
        tolerance: 1e-7,
      });
    });

    test("property: norms, losses, softmax and their gradients equal the plain device", () => {
      fc.assert(
        fc.property(length, length, fc.nat(1e6), fc.boolean(), (rows, n, seed, smooth) => {
          const x = randn([rows, n], { seed });
          const [weight, bias] = [randn([n], { seed: seed + 1 }), randn([n], { seed: seed + 2 })];
          const targets = tensor(
            Int32Array.from({ length: rows }, (_, i) => (i % 5 === 4 ? -100 : (i * 7 + seed) % n)),
            { dtype: "int32" },
          );
          const losses: ((x: Tensor, w: Tensor, b: Tensor) => Tensor)[] = [
            (x, w, b) => t.layerNorm(x, w, b),
            (x, w) => t.layerNorm(x, w),
            (x) => t.layerNorm(x),
            (x, w) => t.rmsNorm(x, w),
            (x) => t.softmax(x),
            (x) =>
              t.crossEntropy(x, targets.to(x.device), {
                reduction: "none",
                labelSmoothing: smooth ? 0.1 : 0,
              }),
          ];
          for (const f of losses) {
            agree(device, f, [x, weight, bias], { tolerance: 2e-6 });
            const loss = (inputs: readonly Tensor[]) => {
              const y = f(inputs[0]!, inputs[1]!, inputs[2]!);
              return sum(mul(y, randn(y.shape, { seed: 5, device: y.device })));
            };
            const expected = grad(loss)([x, weight, bias]);
            const gradients = device.scope(() =>
              grad(loss)([x, weight, bias].map((input) => input.to(device))),
            );
            // Rows of one number have variance 0, and large gradients that cancel.
            expected.forEach((gradient, i) =>
              expect(gradients[i]!.data).toBeAllclose(gradient.data, {
                rtol: 0,
                atol: n < 3 ? 1e-3 : 2e-5,
                scaled: true,
                equalNan: true,
              }),
            );
          }
        }),
        { numRuns: runs(15) },
      );
      const before = device.report().calls;
      for (const op of ["layerNorm", "rmsNorm", "softmax", "crossEntropy", "crossEntropyBackward", "sumTo"]) {
        expect(before[op]!.device).toBeGreaterThan(0);
      }
      expect(before["crossEntropy"]!.plain).toBe(0);
    });

    test("layer norm of a row far from zero is accurate", () => {
      const x = t.add(randn([4, 256], { seed: 1 }), 1000);
      agree(device, (x) => t.layerNorm(x), [x], { ops: ["layerNorm"], tolerance: 2e-5 });
    });

    test("a target class out of range throws, as on the plain device", () => {
      const logits = randn([2, 3], { seed: 1, device });
      const targets = tensor([0, 3], { dtype: "int32", device });
      expect(() => t.crossEntropy(logits, targets)).toThrow(/`targets` is 3, expected classes from 0 to 2/);
    });
  },
);
