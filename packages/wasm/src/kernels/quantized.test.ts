import { randn, transpose, type Device, type Tensor } from "@qkv/tensor";
import { quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";
import { agree } from "@qkv/test-support/agreement";

const size = fc.constantFrom(1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 64, 100, 257);

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "quantized weights, %s build",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    const kinds = [
      { bits: 8, activations: "float32" },
      { bits: 4, activations: "float32" },
      { bits: 8, activations: "int8" },
    ] as const;
    test.each(kinds)("property: $bits bits, $activations activations equal the plain device", (kind) => {
      fc.assert(
        fc.property(
          size,
          size,
          size,
          fc.boolean(),
          fc.boolean(),
          fc.nat(1e6),
          (M, N, K, transposed, biased, seed) => {
            const { data, scale } = quantizeWeight(randn([N, K], { seed }), { bits: kind.bits });
            const x = transposed ? randn([K, M], { seed: seed + 1 }) : randn([M, K], { seed: seed + 1 });
            const { activations } = kind;
            const run = (x: Tensor, data: Tensor, scale: Tensor, bias?: Tensor) =>
              quantizedLinear(transposed ? transpose(x) : x, { data, scale }, bias, { activations });
            const bias = biased ? [randn([N], { seed: seed + 2 })] : [];
            agree(device, run, [x, data, scale, ...bias], { ops: ["quantizedMatmul"], tolerance: 2e-6 });
          },
        ),
        { numRuns: runs(40) },
      );
    });

    test("rows that do not fit into the cache together equal the plain device", () => {
      // 24 rows are twice 12; 43 are 18, 18 and 7, the last of which are two blocks of 4.
      const { data, scale } = quantizeWeight(randn([9, 20_000], { seed: 1 }));
      for (const M of [24, 43]) {
        const run = (x: Tensor, data: Tensor, scale: Tensor) =>
          quantizedLinear(x, { data, scale }, undefined, { activations: "int8" });
        const x = randn([M, 20_000], { seed: M });
        agree(device, run, [x, data, scale], { ops: ["quantizedMatmul"], tolerance: 2e-6 });
      }
    });

    test.each(["float32", "int8"] as const)(
      "rows of zeros, NaN or infinity equal the plain device, %s activations",
      (activations) => {
        for (const M of [7, 1]) {
          const { data, scale } = quantizeWeight(randn([9, 12], { seed: 1 }));
          const x = randn([M, 12], { seed: 2 });
          x.data.fill(0, 12 * (M >> 1), 12 * (M >> 1) + 12);
          const run = (x: Tensor, data: Tensor, scale: Tensor) =>
            quantizedLinear(x, { data, scale }, undefined, { activations });
          agree(device, run, [x, data, scale], { ops: ["quantizedMatmul"], tolerance: 2e-6 });
          for (const none of [NaN, Infinity]) {
            x.data[12 * (M - 1) + 6] = none;
            const { data: y } = run(x.to(device), data.to(device), scale.to(device));
            const { data: expected } = run(x, data, scale);
            expect(y).toBeAllclose(expected, { rtol: 0, atol: 2e-6, scaled: true, equalNan: true });
            expect(Number.isFinite(y[9 * (M - 1)])).toBe(false);
          }
        }
      },
    );

    test("an outlier a million times larger than the other inputs causes a relative error of at most 2^-20", () => {
      const { data, scale } = quantizeWeight(randn([16, 512], { seed: 1 }));
      const x = randn([1, 512], { seed: 2 });
      x.data[3] = 1e6;
      const ours = quantizedLinear(x.to(device), { data: data.to(device), scale: scale.to(device) });
      const expected = quantizedLinear(x, { data, scale });
      expect(ours.data).toBeAllclose(expected.data, {
        rtol: 0,
        atol: 2 ** -20,
        scaled: true,
        equalNan: true,
      });
    });
  },
);
