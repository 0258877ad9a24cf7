// Every shader as Dawn compiles it, on its null backend: no driver, and nothing is computed.
import { deviceOpCases } from "@qkv/test-support/device-op-cases";
import { opCases } from "@qkv/test-support/gpu-op-cases";
import { expect, test } from "vitest";
import { create } from "webgpu";
import { makeDevice } from "./device.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";

/** Held as long as the tests run: the process ends when it is collected. */
const gpu = create(["backend=null"]);

test("all shaders compile within plain limits, and every kernel has a case", async () => {
  const { device } = await makeDevice(() => openDevice(checkOptions({ gpu })), 2 ** 20);
  for (const { name, f, inputs } of [...opCases, ...deviceOpCases]) {
    device.scope(() => f(...inputs.map((x) => x.to(device))));
    await expect(device.finish(), name).resolves.toBeUndefined();
  }
  const { calls, counts } = device.report();
  expect(Object.keys(device.kernels).filter((op) => !calls[op]?.device)).toEqual([]);
  expect(counts.pipelines).toBeGreaterThan(200);
  device.close();
});
