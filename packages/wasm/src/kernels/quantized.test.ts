import { randn, transpose, type Device, type Tensor } from "@qkv/tensor";
import { quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { wasm } from "../index.js";
import { agree } from "./agree.js";

const size = fc.constantFrom(1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 64, 100, 257);

describe.each(["plain", "relaxed"] as const)("the %s build, weights of small whole numbers", (build) => {
  let device: Device;
  beforeAll(async () => {
    device = await wasm({ build });
  });

  const kinds = [
    { bits: 8, activations: "float32" },
    { bits: 4, activations: "float32" },
    { bits: 8, activations: "int8" },
  ] as const;
  test.each(kinds)("property: $bits bits, $activations activations equal the plain device's", (kind) => {
    fc.assert(
      fc.property(size, size, size, fc.boolean(), fc.nat(1e6), (M, N, K, turned, seed) => {
        const { data, scale } = quantizeWeight(randn([N, K], { seed }), { bits: kind.bits });
        const x = turned ? randn([K, M], { seed: seed + 1 }) : randn([M, K], { seed: seed + 1 });
        const { activations } = kind;
        const run = (x: Tensor, data: Tensor, scale: Tensor) =>
          quantizedLinear(turned ? transpose(x) : x, { data, scale }, undefined, { activations });
        agree(device, run, [x, data, scale], { ops: ["quantizedMatmul"], tolerance: 2e-6 });
      }),
      { numRuns: 40 },
    );
  });

  test("rows of zeros, and rows that hold NaN or infinity, as on the plain device", () => {
    const { data, scale } = quantizeWeight(randn([9, 12], { seed: 1 }));
    const x = randn([7, 12], { seed: 2 });
    x.data.fill(0, 12, 24);
    const run = (x: Tensor, data: Tensor, scale: Tensor) =>
      quantizedLinear(x, { data, scale }, undefined, { activations: "int8" });
    agree(device, run, [x, data, scale], { ops: ["quantizedMatmul"], tolerance: 2e-6 });
    x.data[30] = NaN;
    const { data: y } = run(x.to(device), data.to(device), scale.to(device));
    expect([Number.isNaN(y[0]), Number.isNaN(y[2 * 9])]).toEqual([false, true]);
  });
});
