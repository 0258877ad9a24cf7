import { alibi, causal, slidingWindow, tracedAttention, type AttentionOptions } from "@qkv/attention";
import type { PagedBlocks, KeyValues } from "@qkv/attention-contract";
import { permutation, randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../scripts/tier.mjs";

const cases = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  Hkv: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 5 }),
  T: fc.constantFrom(1, 1, 1, 3, 66),
  S: fc.constantFrom(66, 67, 130, 1100),
  D: fc.constantFrom(1, 6, 8, 32, 64),
  Dv: fc.constantFrom(1, 4, 8, 40, 64),
  blockLength: fc.constantFrom(0, 5, 16, 64, 128),
  /** Integers with a scale per channel of a head, or per token; or floats. */
  scaled: fc.constantFrom("no", "numbers", "tokens"),
  uneven: fc.boolean(),
  seed: fc.nat(1e6),
  options: fc.constantFrom<AttentionOptions>(
    {},
    { mask: causal() },
    { mask: slidingWindow(70) },
    { mask: causal(), softcap: 2 },
    { mask: causal(), bias: alibi(1) },
    { mask: causal(), sinks: tensor([0.5]) },
  ),
});

describe.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "attention to cached keys on wasm,%s",
  (build) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build });
    });
    const on = <X extends Tensor | undefined>(x: X): X =>
      (x && tensor(x.data, { shape: x.shape, dtype: x.dtype, device })) as X;

    test("property: paged blocks, quantized keys and values and single queries equal the plain device's", () => {
      fc.assert(
        fc.property(cases, ({ B, Hkv, group, T, S, D, Dv, blockLength, scaled, uneven, seed, options }) => {
          const H = Hkv * group;
          const query = randn([B, H, T, D], { seed });
          const lengths = Int32Array.from({ length: B }, (_, b) => S - ((b * seed) % (S - T + 1)));
          const part = (width: number, own: number): Tensor | PagedBlocks => {
            if (blockLength === 0) return randn([B, Hkv, S, width], { seed: own });
            const each = Math.ceil(S / blockLength);
            const shape = [B * each + 1, Hkv, blockLength, width] as const;
            const numbers = randn(shape, { seed: own });
            const table = (permutation(B * each, { seed: own }).data as Int32Array).map((block) => block);
            const length = uneven ? lengths : S;
            if (scaled === "no") return { data: numbers, table, blockLength, length };
            const whole = Int8Array.from(numbers.data, (x) => Math.max(-127, Math.min(127, 40 * x)));
            const of = scaled === "numbers" ? [shape[0], Hkv, 1, width] : [shape[0], Hkv, blockLength, 1];
            const data = tensor(whole, { shape, dtype: "int8" });
            return { data, scale: randn(of, { seed: own + 1 }), table, blockLength, length };
          };
          const [key, value] = [part(D, seed + 1), part(Dv, seed + 3)];
          const moved = (x: Tensor | PagedBlocks): Tensor | PagedBlocks =>
            "table" in x ? { ...x, data: on(x.data), ...(x.scale && { scale: on(x.scale) }) } : on(x);
          const own = {
            ...options,
            ...(options.sinks && { sinks: randn([H], { seed }) }),
            ...(options.bias && { bias: alibi(H) }),
          };
          const positions = { start: 0 };
          const expected = tracedAttention(query, { key: [key], value: [value], positions }, own, ["lse"]);
          const keyValues: KeyValues = { key: [moved(key)], value: [moved(value)], positions };
          const there = { ...own, ...(own.sinks && { sinks: on(own.sinks) }) };
          const before = device.report().calls["attention"]?.plain ?? 0;
          const got = device.scope(() => tracedAttention(on(query), keyValues, there, ["lse"]));
          expect(got.output.data).toBeAllclose(expected.output.data, {
            rtol: 0,
            atol: 3e-5,
            scaled: true,
            equalNan: true,
          });
          expect(got.lse.data).toBeAllclose(expected.lse.data, {
            rtol: 0,
            atol: 3e-5,
            scaled: true,
            equalNan: true,
          });
          expect(device.report().calls["attention"]!.plain).toBe(before);
        }),
        { numRuns: runs(80) },
      );
    });
  },
);
