import { embedding, grad, mul, randn, sum, take, tensor, type Device, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";
import { agree } from "@qkv/test-support/agreement";

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "take and embedding, %s build",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test("property: rows and their gradients equal the plain device", () => {
      const size = fc.integer({ min: 1, max: 150 });
      fc.assert(
        fc.property(size, size, size, fc.nat(1e6), (rows, width, count, seed) => {
          const table = randn([rows, width], { seed });
          const ids = tensor(Int32Array.from({ length: count }, (_, i) => (i * i + seed) % rows));
          const f = (table: Tensor) => embedding(table, ids.to(table.device));
          agree(device, f, [table], { ops: ["take"], tolerance: 0 });
          const loss = (table: Tensor) => {
            const y = f(table);
            return sum(mul(y, randn(y.shape, { seed: 1, device: y.device })));
          };
          const gradient = device.scope(() => grad(loss)(table.to(device)));
          expect(gradient.data).toBeAllclose(grad(loss)(table).data, {
            rtol: 0,
            atol: 1e-6,
            scaled: true,
            equalNan: true,
          });
          expect(device.report().calls["takeBackward"]!.plain).toBe(0);
        }),
        { numRuns: runs(30) },
      );
    });

    test("an index out of range throws, as on the plain device", () => {
      const table = randn([3, 2], { seed: 1, device });
      const ids = tensor([0, 3], { dtype: "int32", device });
      expect(() => take(table, 0, ids)).toThrow(/`indices` is 3, expected integers from 0 to 2/);
    });
  },
);
