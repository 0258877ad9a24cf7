import { expect, test } from "vitest";
import { gpu } from "./gpu.js";
import type { GpuMode } from "./options.js";
import { parseGpuName } from "./parse-name.js";

test.each(["webgpu", "webgl", "cpu", "dev", "headlessgl", "other"])(
  "mode %s is refused, with what to use instead",
  async (mode) => {
    const refused = gpu({ mode: mode as GpuMode });
    await expect(refused).rejects.toMatchObject({ name: "ArgumentError", argument: "mode", received: mode });
    await expect(refused).rejects.toThrow(
      /Fix: .*(`await webgpu\(\)` of @qkv\/webgpu|`webgl2`|`webasm`|`js\(\)`|leave)/,
    );
  },
);

test("a mode that is not available throws an error that suggests another", async () => {
  await expect(gpu({ mode: "webgl2" })).rejects.toThrow(/no WebGL2 here.*\nFix: use `gpu\({ mode: "webasm"/s);
});

test.each([
  [{ budgetBytes: -1 }, /`budgetBytes` is -1, expected a finite number, 0 or more/],
  [{ maxTextureSize: 1.5 }, /`maxTextureSize` is 1.5/],
  [{ fallback: 1 as unknown as boolean }, /`fallback` is 1, expected a boolean/],
])("%o is refused", async (options, message) => {
  await expect(gpu(options)).rejects.toThrow(message);
});

test("names of devices are parsed, others give undefined", () => {
  expect(parseGpuName("gpu")).toEqual({});
  for (const mode of ["webgl2", "webasm"]) expect(parseGpuName(`gpu:${mode}`)).toEqual({ mode });
  for (const name of ["gpu:webgl", "gpu:webgpu", "gpu:", "wasm", "gpu:webasm,threads=2"])
    expect(parseGpuName(name)).toBeUndefined();
});
