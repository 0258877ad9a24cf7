import fc from "fast-check";
import { expect, test } from "vitest";
import { matmul, randn, zeros } from "@qkv/tensor";
import { wasm } from "./wasm.js";
import { wasmMemory } from "./memory.js";

const page = 65536;

test("property: allocations never overlap, and memory is less than a quarter larger than their span", () => {
  const step = fc.record({
    bytes: fc.integer({ min: 0, max: 200_000 }),
    frees: fc.boolean(),
    index: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const memory = wasmMemory({ firstByte: page });
      const allocations: [pointer: number, bytes: number][] = [];
      let highest = page;
      for (const { bytes, frees, index } of steps) {
        if (frees && allocations.length > 0) {
          memory.free(...allocations.splice(index % allocations.length, 1)[0]!);
          continue;
        }
        const pointer = memory.allocate(bytes);
        expect(pointer % (bytes > page - 64 ? 4096 : 64)).toBe(0);
        expect(pointer).toBeGreaterThanOrEqual(page);
        for (const [other, size] of allocations)
          expect(pointer + bytes <= other || other + size <= pointer).toBe(true);
        allocations.push([pointer, Math.max(64, bytes)]);
        highest = Math.max(highest, pointer + bytes);
      }
      expect(memory.memory.buffer.byteLength).toBeLessThanOrEqual(Math.max(16 * page, highest * 1.25 + page));
      for (const [pointer, bytes] of allocations) memory.free(pointer, bytes);
      expect(memory.used).toBe(0);
      // All free blocks are merged into one.
      expect(memory.allocate(2 ** 20)).toBe(page);
    }),
  );
});

test("freed memory is reused for any size, so growing lengths need no additional memory", () => {
  const memory = wasmMemory({ firstByte: page });
  const resident = memory.allocate(1000);
  for (let length = 1; length <= 2000; length++) {
    const blocks = [memory.allocate(length * 256), memory.allocate(length * 512)];
    memory.free(blocks[0]!, length * 256);
    memory.free(blocks[1]!, length * 512);
  }
  memory.free(resident, 1000);
  expect(memory.peak).toBeLessThan(1024 + 2000 * 768 + 64);
  expect(memory.memory.buffer.byteLength).toBeLessThan(2 * 2000 * 768);
});

test("a device reports its memory, and refuses more than `maxBytes`, with the fix", async () => {
  const device = await wasm({ maxBytes: 8 * 2 ** 20 });
  const weight = randn([512, 512], { seed: 1 }).to(device);
  expect(device.memory()).toMatchObject({ bytes: 2 ** 20, peakBytes: 2 ** 20, maxBytes: 8 * 2 ** 20 });
  expect(() => device.scope(() => zeros([4096, 1024]).to(device))).toThrow(
    /`memory` is "18 MiB asked for, 1 MiB of it in use", expected at most 8 MiB \(`maxBytes`\).*\nFix: use smaller batches/s,
  );
  // Allocations of a failed call are freed.
  expect(() => matmul(randn([2048, 512], { seed: 2, device }), weight)).toThrow(/`memory`/);
  expect(device.memory().bytes).toBe(2 ** 20);
  expect(matmul(weight, weight).shape).toEqual([512, 512]);
});
