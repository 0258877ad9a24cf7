import { grad, linear, mul, permute, randn, sum, type Device, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";
import { agree } from "@qkv/test-support/agreement";

const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 33, 64, 100, 257);

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "linear, %s build",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test("property: linear of any sizes and strides, with and without bias, equals the plain device", () => {
      fc.assert(
        fc.property(
          size,
          size,
          size,
          fc.boolean(),
          fc.boolean(),
          fc.boolean(),
          (M, N, K, transposed, batched, biased) => {
            const x = batched
              ? randn([2, M, K], { seed: 1 })
              : randn(transposed ? [K, M] : [M, K], { seed: 1 });
            const weight = randn(transposed ? [K, N] : [N, K], { seed: 2 });
            const asRows = (t: Tensor) => (transposed && t.shape.length === 2 ? permute(t, [1, 0]) : t);
            const f = (x: Tensor, weight: Tensor, bias?: Tensor) => linear(asRows(x), asRows(weight), bias);
            agree(device, f, [x, weight, ...(biased ? [randn([N], { seed: 3 })] : [])], { ops: ["linear"] });
          },
        ),
        { numRuns: 60 },
      );
    });

    test("linear of a vector treats it as one row", () => {
      const [x, weight, bias] = [
        randn([7], { seed: 1 }),
        randn([5, 7], { seed: 2 }),
        randn([5], { seed: 3 }),
      ];
      agree(device, (x, weight, bias) => linear(x, weight, bias), [x, weight, bias], { ops: ["linear"] });
    });

    test.each([[[3, 4, 6]], [[4, 6]], [[6]]])(
      "gradients of all inputs equal the plain device, x of shape %j",
      (shape) => {
        const inputs = [
          randn(shape, { seed: 1 }),
          randn([5, 6], { seed: 2 }),
          randn([5], { seed: 3 }),
        ] as const;
        const loss = (x: Tensor, weight: Tensor, bias: Tensor) => {
          const y = linear(x, weight, bias);
          return sum(mul(y, y));
        };
        const gradients = (...[x, weight, bias]: Tensor[]) =>
          grad((p: { x: Tensor; weight: Tensor; bias: Tensor }) => loss(p.x, p.weight, p.bias))({
            x: x!,
            weight: weight!,
            bias: bias!,
          });
        const expected = gradients(...inputs);
        const ours = gradients(...inputs.map((t) => t.to(device)));
        for (const name of ["x", "weight", "bias"] as const) {
          expect(ours[name].shape).toEqual(expected[name].shape);
          expect(ours[name].data).toBeAllclose(expected[name].data, {
            rtol: 0,
            atol: 2e-5,
            scaled: true,
            equalNan: true,
          });
        }
      },
    );
  },
);
