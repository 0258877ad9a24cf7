// `device.compile`, on Dawn's null backend.
import {
  add,
  exp,
  gelu,
  matmul,
  ones,
  randn,
  relu,
  resident,
  softmax,
  tensor,
  write,
  zeros,
  type Tensor,
} from "@qkv/tensor";
import { changedGpu } from "@qkv/test-support/changed-gpu";
import { afterEach, beforeEach, expect, test } from "vitest";
import { create } from "webgpu";
import type { CompileOptions, CompileProgress } from "./compile-ahead.js";
import { makeDevice, type WebGpuDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create(["backend=null"]);

/** Name of an op whose shader is made invalid. */
let refused: string | undefined;
let device: WebGpuDevice;
beforeEach(async () => {
  refused = undefined;
  const within = changedGpu(gpu, (target, name) =>
    name === "createShaderModule"
      ? ({ label, code }: GPUShaderModuleDescriptor) =>
          target.createShaderModule({ code: label === refused ? `${code} fn broken(` : code })
      : undefined,
  );
  const options = checkOptions({ gpu: within });
  ({ device } = await makeDevice(everyKernel, () => openDevice(options), options));
});
afterEach(() => device.close());

const layer = (x: Tensor) => gelu(softmax(matmul(x, x)));
const input = () => randn([8, 8], { seed: 1, device });

test("a call after `compile` compiles no shader, and a dry run dispatches and submits nothing", async () => {
  const progressEvents: CompileProgress[] = [];
  const x = input();
  const compiled = await device.compile(() => layer(x), {
    onProgress: (progress) => progressEvents.push(progress),
  });
  const { counts } = device.report();
  expect(counts).toMatchObject({ dispatches: 0, submissions: 0, pipelines: compiled });
  expect(compiled).toBeGreaterThanOrEqual(3);
  expect(progressEvents).toEqual(
    Array.from({ length: compiled }, (_, i) => ({ compiled: i + 1, total: compiled })),
  );
  await layer(x).read();
  expect(device.report().counts.pipelines).toBe(compiled);
  expect(await device.compile(() => layer(x))).toBe(0);
});

test("tensors of a dry run are freed at its end", async () => {
  const x = input();
  await layer(x).read();
  const before = device.memory().bytes;
  await device.compile(() => layer(exp(x)));
  expect(device.memory().bytes).toBeLessThanOrEqual(before!);
});

test("reading a result of a dry run later throws, and so does updating an earlier tensor inside of one", async () => {
  let kept: Tensor | undefined;
  await device.compile(() => {
    kept = resident(add(input(), 1));
  });
  expect(() => exp(kept!)).toThrow(
    /^exp: `device` is "numbers of a dry run".*\nFix: `compile\(f\)` computes nothing/,
  );
  await expect(kept!.read()).rejects.toThrow(/numbers of a dry run/);
  const buffer = resident(zeros([2, 3]).to(device));
  const change = () => write(buffer, 0, 0, ones([1, 3]).to(device));
  await expect(device.compile(change)).rejects.toThrow(/a dry run that changes a tensor from before it/);
  change();
  await expect(buffer.read()).resolves.toHaveLength(6);
  await expect(
    device.compile(() => {
      const inner = resident(zeros([2, 3]).to(device));
      write(inner, 0, 0, ones([1, 3]).to(device));
    }),
  ).resolves.toBe(0);
});

test("a signal aborts with its reason; shaders compiled by then are kept", async () => {
  const controller = new AbortController();
  const x = input();
  const compiling = device.compile(() => [layer(x), exp(x), relu(x), add(x, x), tensor(1).to(device)], {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await expect(compiling).rejects.toThrow("enough");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { pipelines } = device.report().counts;
  expect(pipelines).toBeGreaterThan(0);
  expect(pipelines).toBeLessThan(6);
  const none = AbortSignal.abort(new Error("before"));
  await expect(device.compile(() => layer(x), { signal: none })).rejects.toThrow("before");
});

test("a rejected shader is named, and calls of other shaders work", async () => {
  refused = "gelu";
  const x = input();
  await expect(device.compile(() => layer(x))).rejects.toThrow(/^gelu: `device` is .*\nFix: please report/);
  await expect(softmax(x).read()).resolves.toHaveLength(64);
});

test("a closed device and invalid arguments are refused", async () => {
  const x = input();
  const wrong: [unknown, unknown, RegExp][] = [
    [3, undefined, /^compile: `f` is 3, expected a function/],
    [() => x, { signal: 1 }, /^compile: `signal` is 1, expected an AbortSignal/],
    [() => x, { onProgress: 1 }, /^compile: `onProgress` is 1/],
    [() => x, { progress: 1 }, /^compile: `progress` is 1/],
    [() => x.read(), undefined, /`f` is "a function that returns a promise"/],
  ];
  for (const [f, options, message] of wrong)
    await expect(device.compile(f as () => unknown, options as CompileOptions)).rejects.toThrow(message);
  device.close();
  await expect(device.compile(() => x)).rejects.toThrow(/^compile: `device` is "closed"/);
});
