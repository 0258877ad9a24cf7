import { wasm } from "@qkv/wasm";
import { expect, test } from "vitest";
import { matmulPeak } from "./matmul-peak.js";

test("matmulPeak is the highest rate over products of growing size", async () => {
  const device = await wasm();
  const before = device.report().calls["matmul"]?.device ?? 0;
  const peak = await matmulPeak(device);
  expect(peak).toBeGreaterThan(1e8);
  expect(peak).toBeLessThan(1e14);
  expect(device.report().calls["matmul"]!.device - before).toBeGreaterThan(1);
});
