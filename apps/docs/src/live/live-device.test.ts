import { beforeEach, expect, test, vi } from "vitest";
import { namesDevice } from "./names-device";

// A new module instance for each test.
beforeEach(() => vi.resetModules());

test("the chosen device is stored, and an invalid stored value means plain JavaScript", async () => {
  const storage = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => storage.get(name) ?? null,
    setItem: (name: string, value: string) => storage.set(name, value),
  });
  const { chooseDevice, chosenDevice } = await import("./live-device");
  expect(chosenDevice()).toBe("js");
  chooseDevice("wasm");
  expect(chosenDevice()).toBe("wasm");
  vi.resetModules();
  expect((await import("./live-device")).chosenDevice()).toBe("wasm");
  vi.resetModules();
  storage.set("qkv.live-device", "cuda");
  expect((await import("./live-device")).chosenDevice()).toBe("js");
  vi.unstubAllGlobals();
});

test("code runs on the chosen device, or on plain JavaScript with a reason", async () => {
  const { fitting } = await import("./live-device");
  const code = 'import { tensor } from "@qkv/tensor";\n';
  expect(fitting(code, "wasm", {}, undefined)).toEqual({ device: "wasm", why: {}, named: false });
  expect(fitting(code, "webgpu", {}, undefined).device).toBe("webgpu");
  expect(fitting(code, "webgpu", {}, "no adapter here")).toEqual({
    device: "js",
    why: { webgpu: "no adapter here" },
    named: false,
  });
  expect(fitting(code, "wasm", { wasm: "its checks" }, undefined).device).toBe("js");
});

test("code that creates its own device is recognized by its imports", async () => {
  const { fitting } = await import("./live-device");
  for (const code of [
    'import { wasm } from "@qkv/wasm";',
    'import { add } from "@qkv/tensor";\nimport {\n  checkCases,\n} from "@qkv/device/check";',
    'import { add, js } from "@qkv/tensor";',
  ])
    expect(namesDevice(code), code).toBe(true);
  for (const code of [
    'import { ones } from "@qkv/tensor";\n// import { wasm } from "@qkv/wasm"',
    'import { jsonOf } from "@qkv/tensor";',
    'import { scopes } from "@qkv/tensor/devices";',
  ])
    expect(namesDevice(code), code).toBe(false);
  expect(fitting('import { gpu } from "@qkv/gpu";', "wasm", {}, undefined)).toMatchObject({
    device: "js",
    named: true,
  });
});

test("distinguishes a browser without WebGPU from one without an adapter", async () => {
  const fresh = async (requestAdapter: (() => Promise<unknown>) | undefined) => {
    vi.resetModules();
    const { whyNoAdapter } = await import("./live-device");
    vi.stubGlobal("navigator", { ...(requestAdapter && { gpu: { requestAdapter } }) });
    const why = await whyNoAdapter();
    vi.unstubAllGlobals();
    return why;
  };
  expect(await fresh(undefined)).toBe("this browser has no WebGPU");
  expect(await fresh(() => Promise.resolve(null))).toBe("no adapter here");
  expect(await fresh(() => Promise.reject(new Error("blocked")))).toBe("no adapter here");
  expect(await fresh(() => Promise.resolve({}))).toBeUndefined();
});
