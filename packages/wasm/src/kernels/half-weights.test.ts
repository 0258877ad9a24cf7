import { cast, embedding, js, linear, permute, randn, tensor, type Device, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { casesByTier, runs } from "../../../../scripts/tier.mjs";
import { wasm } from "../wasm.js";

const types = ["bfloat16", "float16"] as const;
const size = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 12, 33, 64, 257, 520);

/** The bits of a result: equal numbers that differ in sign or NaN count as different. */
const bits = ({ data }: Tensor) => new Uint32Array((data.slice() as Float32Array).buffer);

const builds = [
  ["plain", 1],
  ["relaxed", 1],
  ["relaxed", 2],
] as const;

describe.each(casesByTier(builds, ([build, threads]) => build === "relaxed" && threads === 1))(
  "16-bit weights, %s build, %d threads",
  (build, threads) => {
    let device: Device;
    beforeAll(async () => {
      device = await wasm({ build, threads });
    });

    test("property: linear with a 16-bit weight equals linear with the weight cast to float32, bit for bit", () => {
      fc.assert(
        fc.property(
          ...[size, size, size, fc.constantFrom(...types), fc.boolean(), fc.boolean(), fc.nat(1e6)],
          (M, N, K, dtype, transposed, biased, seed) => {
            const x = randn([M, K], { seed }).to(device);
            const whole = cast(randn(transposed ? [K, N] : [N, K], { seed: seed + 1 }), dtype).to(device);
            const laid = (weight: Tensor) => (transposed ? permute(weight, [1, 0]) : weight);
            const bias = biased ? randn([N], { seed: seed + 2 }).to(device) : undefined;
            const before = device.report().calls["linear"]?.device ?? 0;
            const ours = linear(x, laid(whole), bias);
            expect(device.report().calls["linear"]!.device).toBe(before + 1);
            expect(bits(ours)).toEqual(bits(linear(x, laid(cast(whole, "float32")), bias)));
          },
        ),
        { numRuns: runs(80) },
      );
    });

    test.each(types)("all 65,536 bit patterns of %s are converted to float32 exactly", (dtype) => {
      const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
      const weight = tensor(patterns, { shape: [65536, 1], dtype }).to(device);
      const expected = cast(tensor(patterns, { shape: [65536], dtype }), "float32").data;
      for (const rows of [1, 3]) {
        const y = linear(
          tensor(new Float32Array(rows).fill(1), { shape: [rows, 1] }).to(device),
          weight,
        ).data;
        for (let r = 0; r < rows; r++) {
          const row = y.slice(r * 65536, (r + 1) * 65536);
          const odd = row.findIndex(
            (value, i) => value !== expected[i] && !(value !== value && expected[i] !== expected[i]),
          );
          expect([rows, odd]).toEqual([rows, -1]);
        }
      }
    });

    test("a large product, whose weight is packed in parts, equals the product with the float32 weight, bit for bit", () => {
      const [M, N, K] = [14, 4100, 520];
      const x = randn([M, K], { seed: 1 }).to(device);
      // Numbers of sizes from 2^-7 to 2^6 in float16, and far apart in bfloat16.
      const patterns = Uint16Array.from(
        { length: N * K },
        (_, i) => 0x2000 + ((i * 7919) % 0x3400) + 0x8000 * (i % 2),
      );
      for (const dtype of types) {
        const weight = tensor(patterns, { shape: [N, K], dtype }).to(device);
        expect(bits(linear(x, weight))).toEqual(bits(linear(x, cast(weight, "float32"))));
      }
    });

    test.each(types)("embedding of a %s table equals that of the table cast to float32", (dtype) => {
      const table = cast(randn([11, 6], { seed: 1 }), dtype);
      const ids = tensor([3, 10, 3, 0], { dtype: "int32" });
      const rows = embedding(table.to(device), ids.to(device));
      expect(rows.dtype).toBe("float32");
      expect(bits(rows)).toEqual(bits(embedding(cast(table, "float32"), ids)));
      expect(rows.data).toEqual(embedding(table, ids).data);
    });

    test("the result agrees with the plain device, which casts the weight", () => {
      const [x, weight] = [randn([3, 40], { seed: 1 }), cast(randn([9, 40], { seed: 2 }), "bfloat16")];
      expect(js().weightTypes).toBeUndefined();
      const expected = linear(x, weight).data;
      linear(x.to(device), weight.to(device)).data.forEach((value, i) =>
        expect(value).toBeCloseTo(expected[i]!, 4),
      );
    });

    test("in a scope, a 16-bit weight needs no memory beyond packed panels", () => {
      const weight = cast(randn([512, 512], { seed: 1 }), "bfloat16").to(device);
      const row = randn([1, 512], { seed: 2 }).to(device);
      device.scope(() => linear(row, weight));
      const before = device.memory().bytes!;
      device.scope(() => {
        linear(row, weight);
        expect(device.memory().bytes! - before).toBeLessThan(8192);
        return undefined;
      });
    });
  },
);
