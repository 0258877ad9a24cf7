import {
  and,
  attention,
  causal,
  maskTensor,
  padding,
  scoreMod,
  slidingWindow,
  tracedAttention,
  type AttentionOptions,
} from "@qkv/attention";
import type { KeyValues } from "@qkv/attention-contract";
import { permute, randn, slice, tensor, type Device, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../scripts/tier.mjs";

const cases = fc
  .record({
    B: fc.integer({ min: 1, max: 2 }),
    Hkv: fc.integer({ min: 1, max: 2 }),
    group: fc.integer({ min: 1, max: 3 }),
    T: fc.constantFrom(1, 2, 7, 63, 64, 65, 130),
    more: fc.constantFrom(0, 1, 5, 64, 100),
    D: fc.constantFrom(1, 3, 8, 16, 64),
    Dv: fc.constantFrom(1, 4, 8, 12, 64),
    seed: fc.nat(1e6),
    mask: fc.constantFrom("none", "causal", "window", "padding", "random", "nothing"),
    softcap: fc.constantFrom(0, 2),
    scale: fc.constantFrom(undefined, 2),
    cut: fc.double({ min: 0, max: 1, noNaN: true }),
    swapped: fc.boolean(),
  })
  .map(({ B, Hkv, group, T, more, D, Dv, seed, mask, softcap, scale, cut, swapped }) => {
    const [H, S] = [Hkv * group, T + more];
    const query = randn([B, H, T, D], { seed });
    const [key, value] = [
      stored([B, Hkv, S, D], seed + 1, swapped),
      stored([B, Hkv, S, Dv], seed + 2, swapped),
    ];
    const at = Math.floor(cut * S);
    const parts = (x: Tensor) => (at === 0 ? [x] : [slice(x, 2, 0, at), slice(x, 2, at)]);
    const bits = randn([B, H, T, S], { seed: seed + 3 }).data as Float32Array;
    const masks = {
      none: undefined,
      causal: causal(),
      window: slidingWindow(1 + (seed % 90)),
      padding: and(causal(), padding(Array.from({ length: B }, (_, b) => (seed + 7 * b) % (S + 1)))),
      random: maskTensor(
        tensor(
          [...bits].map((x) => x > 0.5),
          { shape: [B, H, T, S] },
        ),
      ),
      nothing: padding(new Array<number>(B).fill(0)),
    };
    const chosen = masks[mask as keyof typeof masks];
    const options: AttentionOptions = {
      ...(chosen && { mask: chosen }),
      ...(softcap > 0 && { softcap }),
      ...(scale && { scale }),
    };
    return { query, key: parts(key), value: parts(value), options };
  });

/** Contiguous rows or, with `swapped`, a transposed layout. */
function stored(shape: [number, number, number, number], seed: number, swapped: boolean): Tensor {
  const [B, H, S, D] = shape;
  return swapped ? permute(randn([B, H, D, S], { seed }), [0, 1, 3, 2]) : randn(shape, { seed });
}

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "attention on wasm,%s",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });
    const on = (x: Tensor) => tensor(x.data, { shape: x.shape, device });

    test("property: output and lse equal the plain device's", () => {
      fc.assert(
        fc.property(cases, ({ query, key, value, options }) => {
          const positions = { start: 0 };
          const expected = tracedAttention(query, { key, value, positions }, options, ["lse"]);
          const keyValues: KeyValues = { key: key.map(on), value: value.map(on), positions };
          const [output, inScope] = [
            tracedAttention(on(query), keyValues, options, ["lse"]),
            device.scope(() => tracedAttention(on(query), keyValues, options, ["lse"])),
          ];
          for (const got of [output, inScope]) {
            expect(got.output.data).toBeAllclose(expected.output.data, {
              rtol: 3e-5,
              atol: 3e-5,
              equalNan: true,
            });
            expect(got.lse.data).toBeAllclose(expected.lse.data, { rtol: 3e-5, atol: 3e-5, equalNan: true });
          }
        }),
        { numRuns: runs(80) },
      );
    });

    // Chunks of 1024 keys are read several at a time, and may have different tiles of the mask.
    test("property: a single query with many keys, some of them masked", () => {
      const sizes = {
        B: fc.integer({ min: 1, max: 2 }),
        Hkv: fc.integer({ min: 1, max: 3 }),
        group: fc.constantFrom(1, 2, 3),
        S: fc.constantFrom(1024, 1025, 2500),
        D: fc.constantFrom(6, 64),
        Dv: fc.constantFrom(8, 20, 64),
        // All keys are visible, one in a hundred, one in two thousand.
        above: fc.constantFrom(-Infinity, 2.33, 3.29),
        softcap: fc.constantFrom(0, 2),
        seed: fc.nat(1e6),
      };
      fc.assert(
        fc.property(fc.record(sizes), ({ B, Hkv, group, S, D, Dv, above, softcap, seed }) => {
          const H = Hkv * group;
          const [query, key] = [randn([B, H, 1, D], { seed }), randn([B, Hkv, S, D], { seed: seed + 1 })];
          const value = randn([B, Hkv, S, Dv], { seed: seed + 2 });
          const chance = randn([B, H, 1, S], { seed: seed + 3 }).data as Float32Array;
          const bits = tensor(
            [...chance].map((x) => x > above),
            { shape: [B, H, 1, S] },
          );
          const options = { ...(above > 0 && { mask: maskTensor(bits) }), ...(softcap > 0 && { softcap }) };
          const expected = attention(query, key, value, options);
          expect(attention(on(query), on(key), on(value), options).data).toBeAllclose(expected.data, {
            rtol: 3e-5,
            atol: 3e-5,
            equalNan: true,
          });
        }),
        { numRuns: runs(15) },
      );
    });

    test.each([
      ["one list of positions", Int32Array.of(0, 3, 9)],
      ["a list for each batch", Int32Array.of(0, 1, 2, 0, 3, 9)],
      ["positions from a start on", { start: 5 }],
    ])("expressions see the positions of keys: %s", (_, positions) => {
      for (const T of [1, 2]) {
        const [query, key, value] = [T, 3, 3].map((length, seed) => randn([2, 2, length, 8], { seed })) as [
          Tensor,
          Tensor,
          Tensor,
        ];
        const attend = (on: (x: Tensor) => Tensor) =>
          attention(
            on(query),
            { key: [on(key)], value: [on(value)], positions },
            { scoreMod: (score, at) => score.mul(at.key.sub(at.query)) },
          );
        const before = device.report().calls["attention"]?.device ?? 0;
        const ours = attend(on).data;
        expect(device.report().calls["attention"]!.device).toBe(before + 1);
        expect(ours).toBeAllclose(attend((x) => x).data, { rtol: 0, atol: 1e-5 });
      }
    });

    test("positions per head: masks run on the kernel, expressions on the plain device", () => {
      const positions = Int32Array.of(0, 3, 9, 9, 0, 7, 1, 2, 9, 9, 8, -1);
      const mods = { scoreMod: scoreMod((score, at) => score.mul(at.key.sub(at.query))) };
      for (const [T, more, kernel] of [[1, {}, "device"], [2, {}, "device"], [2, mods, "plain"]] as const) {
      const [query, key, value] = [T, 3, 3].map((length, seed) =>
        randn([2, seed === 0 ? 4 : 2, length, 8], { seed }),
      ) as [Tensor, Tensor, Tensor];
      const attend = (on: (x: Tensor) => Tensor) => {
        const held = { key: [on(key)], value: [on(value)], positions };
        return attention(on(query), held, { mask: slidingWindow(8), ...more });
      };
      const before = { ...(device.report().calls["attention"] ?? { device: 0, plain: 0 }) };
      const ours = attend(on).data;
      expect(device.report().calls["attention"]![kernel]).toBe(before[kernel] + 1);
      expect(ours).toBeAllclose(attend((x) => x).data, { rtol: 0, atol: 1e-5 });
    } // prettier-ignore
    });

    test("it runs on the wasm kernel, and inputs with NaN on the plain one", () => {
      const x = randn([1, 2, 70, 16], { seed: 1, device });
      const before = { ...(device.report().calls["attention"] ?? { device: 0, plain: 0 }) };
      attention(x, x, x, { mask: causal() });
      const poisoned = tensor(
        x.data.map((value, i) => (i === 5 ? NaN : value)),
        { shape: x.shape, device },
      );
      const { data } = attention(poisoned, x, x, { mask: causal() });
      expect([Number.isNaN(data[0]), Number.isNaN(data[16])]).toEqual([true, false]);
      expect(device.report().calls["attention"]).toEqual({
        device: before.device + 1,
        plain: before.plain + 1,
      });
    });
  },
);
