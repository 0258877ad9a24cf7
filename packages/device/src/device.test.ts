// The choice on this machine: `wasm`, `js`, and `webgpu` if there is an adapter.
import { matmul, randn, type Tensor } from "@qkv/tensor";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { create } from "webgpu";
import { device, type DeviceOptions } from "./device.js";
import { fileStorage } from "./file-storage.js";

/** Referenced until the tests end: the process exits when this object is garbage-collected. */
const nullGpu = create(["backend=null"]);
const noGpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
const folder = mkdtempSync(join(tmpdir(), "qkv-device-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("without an adapter, wasm is chosen and the choice gives the reason", async () => {
  const best = await device({ gpu: noGpu, storage: null });
  expect(best.choice.name).toBe("wasm");
  expect(best.choice.adapter).toBeUndefined();
  expect(best.choice.attempts).toMatchObject([
    {
      name: "webgpu",
      outcome: "refused",
      reason: expect.stringMatching(/no adapter of WebGPU here/) as string,
    },
    { name: "wasm", outcome: "chosen" },
    { name: "js", outcome: "skipped" },
  ]);
  const x = randn([3, 3], { seed: 1, device: best });
  expect(matmul(x, x).shape).toEqual([3, 3]);
});

test("`await using` closes the chosen device; a `js` device stays usable, since it has nothing to close", async () => {
  let x: Tensor;
  {
    await using best = await device({ prefer: ["wasm,threads=2"], storage: null });
    x = randn([3, 3], { seed: 1 }).to(best);
  }
  expect(() => matmul(x, x)).toThrow(/a device that was closed/);
  for (let i = 0; i < 2; i++) {
    await using plain = await device({ prefer: ["js"], storage: null });
    x = randn([3, 3], { seed: 1, device: plain });
  }
  expect(matmul(x, x).shape).toEqual([3, 3]);
});

test("an adapter that fails its self-test is refused, and the reason names it", async () => {
  const best = await device({ gpu: nullGpu, software: true, storage: null, timeoutMs: 60_000 });
  expect(best.choice.name).toBe("wasm");
  expect(best.choice.adapter).toMatch(/null/i);
  expect(best.choice.attempts[0]).toMatchObject({
    outcome: "refused",
    reason: expect.stringMatching(/null.*self-test/i) as string,
  });
});

test("a software adapter is refused, unless `software` is true", async () => {
  const software = {
    requestAdapter: () =>
      Promise.resolve({
        info: { vendor: "mesa", description: "llvmpipe" },
        limits: {},
        features: new Set(),
        requestDevice: () => Promise.reject(new Error("requestDevice failed")),
      }),
  } as unknown as GPU;
  const best = await device({ gpu: software, storage: null });
  expect(best.choice.attempts[0]).toMatchObject({
    outcome: "refused",
    reason: "mesa llvmpipe is software on the CPU; `software: true` considers it",
  });
  const result = await device({ gpu: software, software: true, storage: null });
  expect(result.choice.attempts[0]!.reason).toMatch(/requestDevice failed/);
});

test("`prefer` limits the devices that may be chosen, and its options reach them", async () => {
  expect((await device({ prefer: ["js"] })).choice.attempts).toMatchObject([
    { name: "js", outcome: "chosen" },
  ]);
  const best = await device({ prefer: ["wasm,threads=1,plain", "js"] });
  expect(best.name).toMatch(/plain/);
});

test("a choice that is stored in a file is used by the next process", async () => {
  const path = join(folder, "deep", "device.json");
  const options: DeviceOptions = {
    prefer: ["wasm,threads=1,plain", "wasm,threads=1"],
    storage: fileStorage(path),
  };
  const first = await device(options);
  expect(first.choice.remembered).toBe(false);
  expect(Object.keys(JSON.parse(readFileSync(path, "utf8")) as object)).toHaveLength(1);
  const second = await device({ ...options, storage: fileStorage(path) });
  expect(second.choice).toMatchObject({ name: first.choice.name, remembered: true });
  const reversed = { ...options, prefer: options.prefer!.toReversed() };
  expect((await device(reversed)).choice.remembered).toBe(false);
  expect((await device(reversed)).choice.remembered).toBe(true);
  expect((await device(options)).choice.remembered).toBe(true);
  writeFileSync(path, "[");
  expect((await device(options)).choice.remembered).toBe(false);
  // A choice by a custom `work` is not stored, since nothing identifies the work.
  const work: DeviceOptions["work"] = (on) => () => randn([1], { seed: 1, device: on });
  expect((await device({ ...options, work })).choice.remembered).toBe(false);
});

test("unknown options and wrong values are refused", async () => {
  const refused: [unknown, RegExp][] = [
    [null, /^device: `options` is null/],
    [{ prefer: "wasm" }, /^device: `prefer` is "wasm", expected a list of names/],
    [{ prefer: [] }, /^device: `prefer` is \[\], expected a list of names/],
    [{ prefer: ["cuda"] }, /^device: `prefer` is "cuda", expected names of devices/],
    [{ prefer: ["wasm,threads=0"] }, /^device: `prefer` is "wasm,threads=0"/],
    [{ timeoutMs: -1 }, /^device: `timeoutMs` is -1/],
    [{ software: 1 }, /^device: `software` is 1/],
    [{ work: 1 }, /^device: `work` is 1, expected a function/],
    [{ storage: {} }, /^device: `storage` is .*, expected an object with getItem and setItem/],
    [{ fast: true }, /^device: `fast` is true, expected one of the options prefer, gpu/],
  ];
  for (const [options, message] of refused)
    await expect(device(options as DeviceOptions)).rejects.toThrow(message);
});
