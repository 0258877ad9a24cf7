// Attention on gpu:webasm against the plain device: masks, mods, sinks, grouped heads, traces, caches. The same kernels
// as shaders are checked in Chromium by `npm run conformance -- --device gpu:webgl2`.
import {
  alibi,
  and,
  causal,
  padding,
  slidingWindow,
  tracedAttention,
  type AttentionOptions,
} from "@qkv/attention";
import { gpu, type GpuDevice } from "@qkv/gpu";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import "@qkv/test-support/allclose";

let device: GpuDevice;
beforeAll(async () => {
  device = await gpu({ mode: "webasm" });
});

const names = ["dots", "capped", "scores", "weights", "lse"] as const;

test("property: outputs and traces are the plain device's", async () => {
  const size = fc.integer({ min: 1, max: 5 });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        B: fc.integer({ min: 1, max: 2 }),
        Hkv: fc.integer({ min: 1, max: 2 }),
        group: fc.integer({ min: 1, max: 2 }),
        T: size,
        more: fc.nat(70),
        D: size,
        Dv: size,
        seed: fc.nat(1e6),
        mask: fc.constantFrom("none", "causal", "window", "padding", "nothing"),
        softcap: fc.constantFrom(0, 2),
        extras: fc.boolean(),
      }),
      async ({ B, Hkv, group, T, more, D, Dv, seed, mask, softcap, extras }) => {
        const [H, S] = [Hkv * group, T + more];
        const inputs = [
          randn([B, H, T, D], { seed }),
          randn([B, Hkv, S, D], { seed: seed + 1 }),
          randn([B, Hkv, S, Dv], { seed: seed + 2 }),
        ] as const;
        const masks = {
          none: undefined,
          causal: causal(),
          window: slidingWindow(1 + (seed % 9)),
          padding: and(causal(), padding(Array.from({ length: B }, (_, b) => (seed + 7 * b) % (S + 1)))),
          nothing: padding(new Array<number>(B).fill(0)),
        };
        const chosen = masks[mask as keyof typeof masks];
        const options = (sinks: Tensor): AttentionOptions => ({
          ...(chosen && { mask: chosen }),
          softcap,
          ...(extras && {
            sinks,
            bias: alibi(H),
            weightMod: (weight, at) => weight.mul(at.key.add(1)).where(weight.mul(2), weight),
          }),
        });
        const sinks = tensor(Array.from({ length: H }, (_, h) => h - 1));
        const expected = tracedAttention(...inputs, options(sinks), names);
        const [q, k, v] = inputs.map((x) => x.to(device)) as [Tensor, Tensor, Tensor];
        const got = tracedAttention(q, k, v, options(sinks.to(device)), names);
        for (const name of ["output", ...names] as const) {
          const right = expected[name].data;
          expect(await got[name].read(), name).toBeAllclose(right, { rtol: 0, atol: 1e-4, equalNan: true });
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(device.report().calls["attention"]).toMatchObject({ plain: 0 });
});
