import { afterEach, expect, test, vi } from "vitest";
import { loadGpuJs } from "./gpujs.js";

const GPU = Object.assign(function () {}, { isWebGL2Supported: false });

afterEach(() => {
  vi.resetModules();
  vi.unstubAllGlobals();
});

test.each([
  ["a named export", { GPU }],
  ["a property of the default export", { default: { GPU } }],
  ["the default export", { default: GPU }],
])("loads gpu.js if its class is %s", async (_, module) => {
  vi.doMock("gpu.js", () => ({ GPU: undefined, default: undefined, ...module }));
  expect(await loadGpuJs()).toBe(GPU);
});

test("in a page without a bundler, gpu.js is a script that sets a global variable", async () => {
  vi.doMock("gpu.js", () => {
    vi.stubGlobal("GPU", GPU);
    return { GPU: undefined, default: undefined };
  });
  expect(await loadGpuJs()).toBe(GPU);
});

test("WebGPU's global of the same name is not taken for gpu.js", async () => {
  vi.stubGlobal("GPU", function () {});
  vi.doMock("gpu.js", () => ({ GPU: undefined, default: undefined }));
  await expect(loadGpuJs()).rejects.toThrow(/`gpu.js` is .*the module has no GPU.*\nFix: install it/);
});
