import { expect, test } from "vitest";
import { inspect, inspectKey } from "./inspect.js";

const device = { name: "js" };

test("one line has shape, dtype, device, range, and the number of NaNs", () => {
  const data = Float32Array.of(3, NaN, -1.5, 2);
  expect(inspect({ data, shape: [2, 2], dtype: "float32", device })).toBe(
    "Tensor [2, 2] float32 on js, -1.5 to 3, 1 NaN",
  );
  expect(inspect({ data: Uint16Array.of(0x3e00), shape: [1], dtype: "float16", device })).toBe(
    "Tensor [1] float16 on js, 1.5 to 1.5",
  );
  expect(inspect({ data: new Int32Array(0), shape: [0], dtype: "int32", device })).toBe(
    "Tensor [0] int32 on js",
  );
});

test("a tensor whose data cannot be read is printed with shape, dtype and device", () => {
  const ended = {
    shape: [4],
    dtype: "float32" as const,
    device,
    get data(): Float32Array {
      throw new Error("its scope has ended");
    },
  };
  expect(inspect(ended)).toBe("Tensor [4] float32 on js");
});

test("inspectKey is the symbol by which Node's console finds the method", async () => {
  const node = await import("node:util");
  expect(inspectKey).toBe(node.inspect.custom);
});
