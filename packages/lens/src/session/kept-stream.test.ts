import { js, slice, tensor } from "@qkv/tensor";
import { expect, test, vi } from "vitest";
import { kept } from "./kept-stream.js";

const numbers = [1, 2, 3, 4, 5, 6];

test("what is kept is one copy, of a device with a memory of its own too", () => {
  for (const device of [js(), { ...js(), isDeviceMemory: () => true }]) {
    const x = tensor(numbers, { shape: [1, 3, 2], device });
    const copies = vi.spyOn(Float32Array.prototype, "slice");
    const { data, shape, dtype } = kept(x);
    expect(copies).toHaveBeenCalledTimes(1);
    copies.mockRestore();
    expect(data.buffer).not.toBe(x.array.buffer);
    expect([[...data], shape, dtype]).toEqual([numbers, [1, 3, 2], "float32"]);
  }
});

test("of a part of a tensor, the part alone is kept", () => {
  const x = tensor(numbers, { shape: [1, 3, 2] });
  const { data } = kept(slice(x, 1, 1, 2));
  expect([...data]).toEqual([3, 4]);
  expect(data.buffer.byteLength).toBe(8);
});
