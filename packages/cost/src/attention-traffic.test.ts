import fc from "fast-check";
import { expect, test } from "vitest";
import { attentionTraffic } from "./attention-traffic.js";
import { costKinds } from "./cost-kinds.js";
import { formats, quantized } from "./formats.js";

const call = { batchSize: 2, numHeads: 3, length: 512, headDim: 64 };

test("memory of stored scores grows with the square of the length, memory of tiled ones with the length", () => {
  const held = (length: number) => attentionTraffic({ ...call, length, backward: true });
  const [short, long] = [held(8192), held(16384)];
  expect(long.stored.peakBytes / short.stored.peakBytes).toBeGreaterThan(3.9);
  expect(long.tiled.peakBytes / short.tiled.peakBytes).toBe(2);
});

test("property: tiled attention has a few more FLOPs, and moves fewer bytes once S exceeds D", () => {
  fc.assert(
    fc.property(fc.integer({ min: 256, max: 5000 }), fc.boolean(), (length, backward) => {
      const { stored, tiled } = attentionTraffic({ ...call, length, backward });
      expect(tiled.flops).toBeGreaterThanOrEqual(stored.flops);
      expect(tiled.bytesMoved).toBeLessThan(stored.bytesMoved);
      expect(tiled.peakBytes).toBeLessThan(stored.peakBytes);
    }),
  );
});

test("golden: attention traffic of one head and four tokens, by hand", () => {
  const { stored, tiled } = attentionTraffic({
    batchSize: 1,
    numHeads: 1,
    length: 4,
    headDim: 2,
    bytesPerNumber: 1,
  });
  expect(stored).toEqual({ flops: 16 * 13, bytesMoved: 4 * 16 + 4 * 8, peakBytes: 4 * 8 + 2 * 16 });
  expect(tiled).toEqual({ flops: 16 * 13, bytesMoved: 5 * 8, peakBytes: 4 * 8 + 4 * 4 });
  // A quarter of 16 bytes holds two keys of two bytes: queries, outputs and their sums pass twice.
  const sizes = { batchSize: 1, numHeads: 1, length: 4, headDim: 2, bytesPerNumber: 1, sramBytes: 16 };
  expect(attentionTraffic(sizes).tiled.bytesMoved).toBe((2 + 3 * 2) * 8);
});

test("more passes over stored scores move more bytes, and a smaller SRAM reads queries more often", () => {
  const passes = ["mask", "softmax", "dropout"] as const;
  expect(attentionTraffic({ ...call, passes }).stored.bytesMoved).toBeGreaterThan(
    attentionTraffic(call).stored.bytesMoved,
  );
  expect(attentionTraffic({ ...call, sramBytes: 16384 }).tiled.bytesMoved).toBeGreaterThan(
    attentionTraffic(call).tiled.bytesMoved,
  );
});

test("costKinds: FLOPs of causal are half of full, of a window and of blocks proportional to the visible pairs, of others by hand", () => {
  const at = { queryLength: 64, keyLength: 64, numHeads: 2, headDim: 8 };
  expect(costKinds.causal(at) / costKinds.full(at)).toBeCloseTo(65 / 128, 9);
  expect(costKinds.window({ ...at, windowSize: 64 })).toBe(costKinds.causal(at));
  expect(costKinds.window(at)).toBe(costKinds.causal(at));
  expect(costKinds.blocks({ ...at, visibleShare: 0.25 })).toBe(costKinds.full(at) / 4);
  // One for each pair, as for a bias; 3 for each element of queries and keys, as for RoPE; none.
  expect([costKinds.pair(at), costKinds.token(at), costKinds.unchanged()]).toEqual([
    2 * 64 * 64,
    6 * 2 * 64 * 8,
    0,
  ]);
});

test("wrong sizes and bits are refused", () => {
  expect(() => attentionTraffic({ ...call, length: 0 })).toThrow("attentionTraffic: `length` is 0");
  expect(() => quantized({ bits: 4, blockSize: 0 })).toThrow(
    "quantized: `blockSize` is 0, expected an integer, 1 or more",
  );
  expect(formats.float8.bytesPerNumber).toBe(1);
});
