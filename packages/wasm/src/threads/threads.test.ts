/// <reference types="node" />
import { isQkvError } from "@qkv/core";
import { matmul, randn, softmax, type Tensor } from "@qkv/tensor";
import workerThreads from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import { source } from "../binaries/worker.js";
import type { WasmDevice } from "../device.js";
import { wasm } from "../wasm.js";
import { open } from "../open.js";
import { bundled } from "../sources.js";
import { fields } from "./work-queue.js";

const x = randn([400, 1000], { seed: 1 });
const bytes = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const devices: WasmDevice[] = [];
const keep = <T extends WasmDevice>(device: T): T => (devices.push(device), device);

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(devices.splice(0).map((device) => device.close()));
});

test("several threads compute the same bits as one, in repeated calls", async () => {
  const expected = bytes(softmax(x.to(await wasm())));
  for (const threads of [2, 3, "auto"] as const) {
    const device = keep(await wasm({ threads }));
    const onDevice = x.to(device);
    for (let i = 0; i < 50; i++) expect(bytes(softmax(onDevice)).equals(expected)).toBe(true);
  }
});

test("the report and the name have the number of threads", async () => {
  const device = keep(await wasm({ threads: 2, build: "plain" }));
  expect(device.report()).toMatchObject({ name: "wasm,threads=2,plain", build: "plain", threads: 2 });
  expect((await wasm({ build: "plain" })).report()).toMatchObject({
    name: "wasm,threads=1,plain",
    threads: 1,
  });
});

describe("a worker that fails", () => {
  /** A device whose worker dies as soon as it has taken an item of the third call or a later one. */
  const deviceWithDyingWorker = async () => {
    const dies = `const { add } = Atomics;
      Atomics.add = (words, at, by) => {
        const before = add(words, at, by);
        if (at === ${fields.next} && words[${fields.call}] >= 3) process.exit(7);
        return before;
      };`;
    const workerUrl = `data:text/javascript,${encodeURIComponent(dies + source)}`;
    return keep(await open("wasm", { ...bundled, workerUrl }, { threads: 2, deadlineMs: 200 }));
  };

  test("by ending during a call: the call throws a DeviceError, and the device refuses work until a restart", async () => {
    const device = await deviceWithDyingWorker();
    const onDevice = x.to(device);
    const resident = randn([3], { seed: 2 }).to(device);
    let error: unknown;
    for (let i = 0; i < 1000 && !error; i++) {
      try {
        softmax(onDevice);
      } catch (thrown) {
        error = thrown;
      }
    }
    expect(isQkvError(error) && error.name).toBe("DeviceError");
    expect((error as Error).message).toBe(
      'wasm: `threads` is "a worker that died or did not finish in time", expected workers that finish their part of a ' +
        "call at most 200 ms after the caller.\nFix: call `await device.restart()`, then go on: tensors keep their " +
        "numbers. If calls are that long, raise `deadlineMs`.",
    );
    const { bytes: used } = device.memory();
    expect(() => softmax(onDevice)).toThrow(/died/);
    expect(() => matmul(resident.to(device), resident)).toThrow();
    expect([...resident.data]).toEqual([...randn([3], { seed: 2 }).data]);
    await device.restart();
    expect(bytes(softmax(onDevice)).equals(bytes(softmax(x.to(await wasm()))))).toBe(true);
    expect(device.memory().bytes).toBe(used);
  });

  test("by an error the caller does not have: the call throws a DeviceError at once", async () => {
    const breaks = `const { Instance } = WebAssembly;
      WebAssembly.Instance = function (...all) {
        const names = Object.keys(new Instance(...all).exports);
        return { exports: Object.fromEntries(names.map((name) => [name, () => { throw new Error("trap"); }])) };
      };`;
    const workerUrl = `data:text/javascript,${encodeURIComponent(breaks + source)}`;
    const device = keep(await open("wasm", { ...bundled, workerUrl }, { threads: 2 }));
    const onDevice = x.to(device);
    expect(() => {
      for (let i = 0; i < 1000; i++) softmax(onDevice);
    }).toThrow(/`threads` is "an error in thread 1 while it ran softmaxRows"/);
  });

  test("by ending between calls: the next call throws", async () => {
    const spy = vi.spyOn(workerThreads, "Worker");
    const device = keep(await wasm({ threads: 2 }));
    const onDevice = x.to(device);
    const worker = spy.mock.results[0]!.value as workerThreads.Worker;
    await worker.terminate();
    await new Promise(setImmediate);
    expect(() => softmax(onDevice)).toThrow(/`threads` is "a worker that died: it ended with code 1"/);
    await device.restart();
    expect(softmax(onDevice).shape).toEqual([400, 1000]);
  });

  test("by ending while the program never returns to the event loop: a later call throws", async () => {
    const spy = vi.spyOn(workerThreads, "Worker");
    const device = keep(await wasm({ threads: 2, deadlineMs: 50 }));
    const onDevice = x.to(device);
    softmax(onDevice);
    void (spy.mock.results[0]!.value as workerThreads.Worker).terminate();
    const end = performance.now() + 30_000;
    expect(() => {
      while (performance.now() < end) softmax(onDevice);
    }).toThrow(/a worker that died/);
  });
});

test("if a worker cannot start, the device is single-threaded, and the report has the reason", async () => {
  const workerUrl = "data:text/javascript,throw new Error('no thanks')";
  const device = await open("wasm", { ...bundled, workerUrl }, { threads: 2 });
  expect(device.report().threads).toBe(1);
  expect(device.report().whySingleThreaded).toMatch(
    /^a worker that did not start: it met an error .*no thanks/,
  );
  expect(bytes(softmax(x.to(device))).equals(bytes(softmax(x.to(await wasm()))))).toBe(true);
});

test("a worker that is not ready at the deadline makes the device single-threaded, with the reason", async () => {
  const workerUrl = "data:text/javascript,setInterval(() => 0, 1000)";
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const opening = open("wasm", { ...bundled, workerUrl }, { threads: 2, deadlineMs: 5500 });
  while (vi.getTimerCount() === 0) await new Promise((resume) => setImmediate(resume));
  vi.advanceTimersByTime(5499);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1);
  vi.useRealTimers();
  const device = await opening;
  expect(device.report().whySingleThreaded).toBe(
    "a worker that did not start: it was not ready after 5500 ms",
  );
});

test("a closed device refuses work until it is restarted", async () => {
  const device = keep(await wasm({ threads: 2 }));
  const onDevice = x.to(device);
  await device.close();
  expect(() => softmax(onDevice)).toThrow(/`threads` is "a device that was closed".*\nFix: make a new one/s);
  await device.restart();
  expect(softmax(onDevice).shape).toEqual([400, 1000]);
});

test("`await using` closes a device at the end of the block", async () => {
  let onDevice: typeof x;
  {
    await using device = await wasm({ threads: 2 });
    onDevice = x.to(device);
    expect(softmax(onDevice).shape).toEqual([400, 1000]);
  }
  expect(() => softmax(onDevice)).toThrow(/`threads` is "a device that was closed"/);
});

test("in a page that is not isolated the device is single-threaded, with the reason", async () => {
  vi.stubGlobal("crossOriginIsolated", false);
  vi.stubGlobal("process", { ...process, versions: {} });
  const device = await wasm({ threads: 2 });
  vi.unstubAllGlobals();
  expect(device.report().threads).toBe(1);
  expect(device.report().whySingleThreaded).toMatch(
    /not cross-origin isolated.*Cross-Origin-Embedder-Policy/s,
  );
});

test.each([
  [{ threads: 0 }, /`threads` is 0, expected "auto" or an integer from 1 to 64.*\nFix: pass "auto"/s],
  [{ threads: 1.5 }, /`threads` is 1.5/],
  [{ maxBytes: 3 }, /`maxBytes` is 3, expected an integer number of bytes from 1 MiB to 4 GiB/],
  [{ deadlineMs: -1 }, /`deadlineMs` is -1, expected a number of milliseconds above 0/],
])("%o is refused", async (options, message) => {
  await expect(wasm(options)).rejects.toThrow(message);
});
