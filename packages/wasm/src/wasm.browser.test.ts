import { matmul, randn, softmax, type Tensor } from "@qkv/tensor";
import { afterEach, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { source } from "./binaries/worker.js";
import type { WasmDevice } from "./device.js";
import { wasm } from "./wasm.js";
import { open } from "./open.js";
import { bundled } from "./sources.js";
import { at } from "./threads/work-queue.js";

const devices: WasmDevice[] = [];
const keep = (device: WasmDevice): WasmDevice => (devices.push(device), device);
afterEach(async () => {
  await Promise.all(devices.splice(0).map((device) => device.close()));
});

const x = randn([400, 1000], { seed: 1 });
const y = randn([1000, 300], { seed: 2 });
const compute = (device: WasmDevice): Tensor =>
  device.scope(() => softmax(matmul(x.to(device), y.to(device))));

describe("in a cross-origin isolated page", () => {
  test("the page is one, and its main thread may not sleep", () => {
    expect(crossOriginIsolated).toBe(true);
    expect(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)).toThrow();
  });

  test.each(["plain", "relaxed"] as const)("one thread and two compute the same (%s)", async (build) => {
    const [one, two] = [keep(await wasm({ build })), keep(await wasm({ build, threads: 2 }))];
    expect(two.report()).toMatchObject({ threads: 2, build, whySingleThreaded: undefined });
    const expected = compute(one).data;
    for (let i = 0; i < 20; i++) expect(compute(two).data).toEqual(expected);
    expect(expected).toBeAllclose(softmax(matmul(x, y)).data, { rtol: 0, atol: 5e-5 });
  });

  test("a worker that hangs in the middle of a call: the waiting page gives up at the deadline, and can restart", async () => {
    const hangs = `const { add } = Atomics;
      Atomics.add = (words, at, by) => {
        const before = add(words, at, by);
        if (at === ${at.next} && words[${at.call}] >= 3) for (;;);
        return before;
      };`;
    const workerUrl = URL.createObjectURL(new Blob([hangs + source], { type: "text/javascript" }));
    const device = keep(await open("wasm", { ...bundled, workerUrl }, { threads: 2, deadlineMs: 200 }));
    const on = x.to(device);
    expect(() => {
      for (let i = 0; i < 1000; i++) softmax(on);
    }).toThrow(/a worker that died or did not finish in time/);
    expect(() => softmax(on)).toThrow(/device\.restart\(\)/);
    await device.restart();
    expect(softmax(on).shape).toEqual([400, 1000]);
  });
});

test("`auto` is a thread for each core", async () => {
  const device = keep(await wasm({ threads: "auto" }));
  expect(device.report().threads).toBe(Math.min(16, navigator.hardwareConcurrency));
  expect(compute(device).shape).toEqual([400, 300]);
});
