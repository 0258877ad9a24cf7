import { matmul, randn, softmax, type Tensor } from "@qkv/tensor";
import { afterEach, describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { source } from "./binaries/worker.js";
import type { WasmDevice } from "./device.js";
import { wasm } from "./wasm.js";
import { open } from "./open.js";
import { bundled } from "./sources.js";
import { fields } from "./threads/work-queue.js";

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
  test("`crossOriginIsolated` is true, and the main thread may not block", () => {
    expect(crossOriginIsolated).toBe(true);
    expect(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)).toThrow();
  });

  test.each(["plain", "relaxed"] as const)(
    "results of one and two threads are equal, %s build",
    async (build) => {
      const [one, two] = [keep(await wasm({ build })), keep(await wasm({ build, threads: 2 }))];
      expect(two.report()).toMatchObject({ threads: 2, build, whySingleThreaded: undefined });
      const expected = compute(one).data;
      for (let i = 0; i < 20; i++) expect(compute(two).data).toEqual(expected);
      expect(expected).toBeAllclose(softmax(matmul(x, y)).data, { rtol: 0, atol: 5e-5 });
    },
  );

  test("a call whose worker hangs throws at the deadline, and works after a restart", async () => {
    const hangs = `const { add } = Atomics;
      Atomics.add = (words, at, by) => {
        const before = add(words, at, by);
        if (at === ${fields.next} && words[${fields.call}] >= 3) for (;;);
        return before;
      };`;
    const workerUrl = URL.createObjectURL(new Blob([hangs + source], { type: "text/javascript" }));
    const device = keep(await open("wasm", { ...bundled, workerUrl }, { threads: 2, deadlineMs: 200 }));
    const onDevice = x.to(device);
    expect(() => {
      for (let i = 0; i < 1000; i++) softmax(onDevice);
    }).toThrow(/a worker that died or did not finish in time/);
    expect(() => softmax(onDevice)).toThrow(/device\.restart\(\)/);
    await device.restart();
    expect(softmax(onDevice).shape).toEqual([400, 1000]);
  });
});

test("`auto` is one thread per core, at most 16", async () => {
  const device = keep(await wasm({ threads: "auto" }));
  expect(device.report().threads).toBe(Math.min(16, navigator.hardwareConcurrency));
  expect(compute(device).shape).toEqual([400, 300]);
});
