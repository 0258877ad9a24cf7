import { js, slice, tensor } from "@qkv/tensor";
import { expect, test, vi } from "vitest";
import { hostCopy } from "./run-layers.js";

const numbers = [1, 2, 3, 4, 5, 6];

test("hostCopy copies once, also from a device with its own memory", () => {
  for (const device of [js(), { ...js(), isDeviceMemory: () => true }]) {
    const x = tensor(numbers, { shape: [1, 3, 2], device });
    const copies = vi.spyOn(Float32Array.prototype, "slice");
    const { data, shape, dtype } = hostCopy(x);
    expect(copies).toHaveBeenCalledTimes(1);
    copies.mockRestore();
    expect(data.buffer).not.toBe(x.array.buffer);
    expect([[...data], shape, dtype]).toEqual([numbers, [1, 3, 2], "float32"]);
  }
});

test("hostCopy of a slice copies only the slice", () => {
  const x = tensor(numbers, { shape: [1, 3, 2] });
  const { data } = hostCopy(slice(x, 1, 1, 2));
  expect([...data]).toEqual([3, 4]);
  expect(data.buffer.byteLength).toBe(8);
});
