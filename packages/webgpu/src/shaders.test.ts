import { callSizes, tilePlan, type AttentionCall, type AttentionKernels } from "@qkv/attention-contract";
import { gelu, matmul, randn, softmax, zeros, type Device } from "@qkv/tensor";
import { changedGpu } from "@qkv/test-support/changed-gpu";
import { expect, test } from "vitest";
import { create } from "webgpu";
import { makeDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";
import { shadersOf } from "./shaders.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create(["backend=null"]);

/** Attention of 4 heads and 2 key-value heads, of which each query sees all keys. */
function attend(device: Device, T: number, S: number): void {
  const [H, D] = [4, 16];
  const of = (heads: number, length: number) => randn([1, heads, length, D], { seed: 1, device });
  const keyPositions = [Int32Array.from({ length: S }, (_, s) => s)];
  const call: AttentionCall = {
    query: of(H, T),
    keyValues: { key: [of(2, S)], value: [of(2, S)], positions: { start: 0 } },
    firstQuery: S - T,
    scale: 1,
    plan: tilePlan(
      undefined,
      { batches: 1, heads: H, queries: T, firstQuery: S - T, keyPositions },
      false,
      false,
    ),
    traces: [],
  };
  const outputs = {
    output: zeros([1, H, T, callSizes(call).Dv], { device }),
    lse: zeros([1, H, T], { device }),
  };
  const { attention } = device.kernels as unknown as AttentionKernels;
  expect(attention(call, outputs)).toBe(true);
}

const calls: Record<string, (device: Device) => void> = {
  "products and rows": (device) => {
    const x = randn([70, 70], { seed: 1, device });
    gelu(softmax(matmul(x, x)));
  },
  "attention of many queries": (device) => attend(device, 100, 130),
  "attention of one query": (device) => attend(device, 1, 600),
};

test.each(Object.entries(calls))(
  "%s: shadersOf returns the shaders that a Dawn device compiles",
  async (_, f) => {
    const codes: string[] = [];
    const recorded = changedGpu(gpu, (target, name) =>
      name === "createShaderModule"
        ? (descriptor: GPUShaderModuleDescriptor) => {
            codes.push(descriptor.code);
            return target.createShaderModule(descriptor);
          }
        : undefined,
    );
    const options = checkOptions({ gpu: recorded, subgroups: false });
    const { device } = await makeDevice(everyKernel, () => openDevice(options), options);
    device.scope(() => f(device));
    await expect(device.finish()).resolves.toBeUndefined();
    const { dispatches } = device.report().counts;
    device.close();
    const runs = await shadersOf(f);
    expect([...new Set(runs.map(({ code }) => code))]).toEqual(codes);
    expect(runs).toHaveLength(dispatches);
  },
);

test("a run has its operation, workgroups and the bytes of its buffers", async () => {
  const runs = await shadersOf((device) => attend(device, 100, 130));
  expect(runs).toHaveLength(1);
  const [{ op, groups, reads, writes }] = runs as [(typeof runs)[number]];
  expect(op).toBe("attention");
  // Blocks of 32 queries of 4 heads.
  expect(groups.reduce((a, b) => a * b)).toBe(16);
  // Query; plan; words; key and value: 4 · 100 · 16 and 2 · 130 · 16 numbers, to the next 2ⁿ or 1.5 · 2ⁿ bytes.
  expect([reads[0], reads[3], reads[4]]).toEqual([32768, 24576, 24576]);
  // The output; lse, and two numbers of each row after it.
  expect(writes).toEqual([32768, 6144]);
});

test("a long call is split by the given rate, and shaders with subgroups enable them", async () => {
  const f = (device: Device) => attend(device, 100, 130);
  const cut = await shadersOf(f, { flopsPerSecond: 1e6 });
  expect(cut.length).toBe(16);
  expect(new Set(cut.map(({ code }) => code)).size).toBe(1);
  const [one] = await shadersOf(calls["products and rows"]!, { subgroups: true });
  expect(one!.code.startsWith("enable subgroups;")).toBe(true);
});

test("a function that returns a promise, and a value that is not a function, are refused", async () => {
  await expect(shadersOf(async () => Promise.resolve())).rejects.toThrow(/promise/i);
  await expect(shadersOf("f" as never)).rejects.toThrow("shadersOf: `f` is");
});
