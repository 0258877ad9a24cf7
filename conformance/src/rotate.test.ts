import { rope, rotate } from "@qkv/attention";
import { grad, mul, permute, randn, sum, type Device, type Tensor } from "@qkv/tensor";
import { gpu } from "@qkv/gpu";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";

const tolerance = { rtol: 0, atol: 5e-6 };

describe.each([
  ["wasm,plain", () => wasm({ build: "plain" }), 60],
  ["wasm,relaxed", () => wasm({ build: "relaxed" }), 60],
  // Each shape is compiled.
  ["gpu:webasm", () => gpu({ mode: "webasm" }), 20],
] as const)("rotary positions on %s", (_, open: () => Promise<Device>, numRuns) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });

  test("property: a rotation, and its gradient, equal the plain device's", () => {
    const size = fc.integer({ min: 1, max: 9 });
    const layout = fc.constantFrom("half", "interleaved");
    fc.assert(
      fc.property(
        ...[size, size, size, size, size, layout, fc.boolean(), fc.nat(1e6)],
        (B, H, T, pairs, more, layout, swapped, seed) => {
          const D = 2 * pairs + (more % 3);
          const x = swapped
            ? permute(randn([B, T, H, D], { seed }), [0, 2, 1, 3])
            : randn([B, H, T, D], { seed });
          const angles = more % 2 === 0 ? [T, pairs] : [B, T, pairs];
          const [cos, sin] = [randn(angles, { seed: seed + 1 }), randn(angles, { seed: seed + 2 })];
          const slope = (x: Tensor) => {
            const y = rotate(x, cos.to(x.device), sin.to(x.device), { layout: layout as "half" });
            return sum(mul(y, randn(y.shape, { seed: 4, device: y.device })));
          };
          const run = (x: Tensor) =>
            rotate(x, cos.to(x.device), sin.to(x.device), { layout: layout as "half" });
          const moved = x.to(device);
          expect(device.scope(() => run(moved))).toBeAllclose(run(x), tolerance);
          expect(device.scope(() => grad(slope)(moved))).toBeAllclose(grad(slope)(x), tolerance);
          expect(device.report().calls["rotate"]!.plain).toBe(0);
        },
      ),
      { numRuns },
    );
    const x = randn([1, 2, 5, 16], { seed: 1 });
    expect(rope({ headDim: 16 }).apply(x.to(device), { start: 3 })).toBeAllclose(
      rope({ headDim: 16 }).apply(x, { start: 3 }),
      tolerance,
    );
  });
});
