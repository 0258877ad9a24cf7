// Attention on gpu:webasm compared with the plain device: masks, mods, sinks, grouped heads, traces, caches. `npm run
// conformance -- --device gpu:webgl2` tests the same kernels as shaders in Chromium.
import {
  alibi,
  and,
  attention,
  causal,
  lookup,
  padding,
  slidingWindow,
  tracedAttention,
  type AttentionOptions,
  type Expr,
  type ScoreIndices,
} from "@qkv/attention";
import { gpu, type GpuDevice } from "@qkv/gpu";
import { randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { runs } from "../../scripts/tier.mjs";
import "@qkv/test-support/allclose";

let device: GpuDevice;
beforeAll(async () => {
  device = await gpu({ mode: "webasm" });
});

const names = ["dots", "capped", "scores", "weights", "lse"] as const;

test("property: outputs and traces equal the plain device's", async () => {
  const size = fc.integer({ min: 1, max: 5 });
  let onPlain = 0; // calls with expressions over positions that differ by head
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
        byHead: fc.boolean(),
      }),
      async ({ B, Hkv, group, T, more, D, Dv, seed, mask, softcap, extras, byHead }) => {
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
        if (byHead && extras && Hkv > 1) onPlain += 1;
        // One order of keys for all heads, or one per key-value head.
        const order = (_: unknown, n: number) => ((n % S) + seed + Math.floor(n / S)) % S;
        const positions = byHead ? Int32Array.from({ length: B * Hkv * S }, order) : { start: 0 };
        const held = ([, key, value]: readonly Tensor[]) => ({ key: [key!], value: [value!], positions });
        const expected = tracedAttention(inputs[0], held(inputs), options(sinks), names);
        const own = inputs.map((x) => x.to(device)) as [Tensor, Tensor, Tensor];
        const got = tracedAttention(own[0], held(own), options(sinks.to(device)), names);
        for (const name of ["output", ...names] as const) {
          const right = expected[name].data;
          expect(await got[name].read(), name).toBeAllclose(right, { rtol: 0, atol: 1e-4, equalNan: true });
        }
      },
    ),
    { numRuns: runs(40) },
  );
  expect(device.report().calls["attention"]).toMatchObject({ plain: onPlain });
});

test("a masked value does not affect the output, even if it is NaN or infinite", async () => {
  const [q, k] = [randn([1, 1, 3, 4], { seed: 1 }), randn([1, 1, 3, 4], { seed: 2 })];
  const v = tensor([1, 2, NaN], { shape: [1, 1, 3, 1] });
  const mask = padding([2]);
  const ours = await attention(q.to(device), k.to(device), v.to(device), { mask }).read();
  expect(ours).toBeAllclose(attention(q, k, v, { mask }).data, { rtol: 0, atol: 1e-5 });
});

test("a fractional table index is rounded down", async () => {
  const x = randn([1, 1, 4, 4], { seed: 1 });
  const bias = (device: Device) => {
    const table = tensor([1, -2, 4], { device });
    return (score: Expr, at: ScoreIndices) => score.add(lookup(table, at.key.mul(0.7)));
  };
  const ours = tracedAttention(x.to(device), x.to(device), x.to(device), { scoreMod: bias(device) }, names);
  const right = tracedAttention(x, x, x, { scoreMod: bias(x.device) }, names);
  expect(await ours.scores.read()).toBeAllclose(right.scores.data, { rtol: 0, atol: 1e-5 });
});
