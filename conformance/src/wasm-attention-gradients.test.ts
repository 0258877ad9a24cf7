import { attention, padding, slidingWindow } from "@qkv/attention";
import { grad, randn, sum, tensor, type Device, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../scripts/tier.mjs";
import { gradientCase, gradientCases } from "./differential/attention-gradients.js";

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "gradients of attention on wasm,%s",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });

    test("property: output and gradients equal the plain device's, computed by wasm kernels", () => {
      fc.assert(
        fc.property(gradientCases, (drawn) => {
          const { inputs, attend, loss } = gradientCase(drawn);
          const moved = inputs.map((x) => on(x, device)) as [Tensor, Tensor, Tensor, Tensor];
          const before = plainRuns(device);
          expect(attend(...moved).data, "output").toBeAllclose(attend(...inputs).data, {
            rtol: 0,
            atol: 3e-5,
            scaled: true,
            equalNan: true,
          });
          const expected = grad(loss)([...inputs]);
          const got = device.scope(() => grad(loss)(moved));
          expected.forEach((x, i) =>
            expect(got[i]!.data, ["query", "key", "value", "numbers"][i]!).toBeAllclose(x.data, {
              rtol: 0,
              atol: 3e-5,
              scaled: true,
              equalNan: true,
            }),
          );
          expect(plainRuns(device)).toBe(before);
        }),
        { numRuns: runs(60) },
      );
    });

    test("a value that no query sees may be NaN; a NaN gradient is computed by the plain kernel", () => {
      const shape = [1, 1, 70, 8];
      const poison = (x: Tensor) =>
        tensor(
          x.data.map((value, i) => (i >= 69 * 8 ? NaN : value)),
          { shape },
        );
      const inputs = [
        randn(shape, { seed: 1 }),
        poison(randn(shape, { seed: 2 })),
        poison(randn(shape, { seed: 3 })),
      ];
      const slope = (all: readonly Tensor[]) =>
        sum(attention(all[0]!, all[1]!, all[2]!, { mask: slidingWindow(3), softcap: 2 }));
      const hidden = (all: readonly Tensor[]) =>
        sum(attention(all[0]!, all[1]!, all[2]!, { mask: padding([69]) }));
      for (const f of [slope, hidden]) {
        const expected = grad(f)(inputs);
        const got = grad(f)(inputs.map((x) => on(x, device)));
        expected.forEach((x, i) =>
          expect(got[i]!.data, String(i)).toBeAllclose(x.data, {
            rtol: 0,
            atol: 3e-5,
            scaled: true,
            equalNan: true,
          }),
        );
      }
    });
  },
);

function on(x: Tensor, device: Device): Tensor {
  return tensor(x.data, { shape: x.shape, device });
}

function plainRuns(device: Device): number {
  const { calls } = device.report();
  return (calls["attention"]?.plain ?? 0) + (calls["attentionBackward"]?.plain ?? 0);
}
