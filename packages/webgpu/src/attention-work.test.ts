// Memory that attention allocates besides its tensors, and the split of long calls into dispatches.
import {
  callSizes,
  mapCall,
  tilePlan,
  type AttentionCall,
  type AttentionKernels,
} from "@qkv/attention-contract";
import { randn, sizeOf, zeros, type Device, type Tensor } from "@qkv/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import { makeDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { unitRanges } from "./kernels/attention/unit-ranges.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const [nothing, gpu] = [create(["backend=null"]), create([])];
const open = (gpu: GPU) => {
  const options = checkOptions({ gpu });
  return makeDevice(everyKernel, () => openDevice(options), options);
};

type Make = (shape: readonly number[], seed: number) => Tensor;

/** A causal attention call; `make` creates its tensors. */
function causalCall([H, Hkv, T, D]: readonly number[], make: Make): AttentionCall {
  const of = (heads: number, seed: number) => make([1, heads, T!, D!], seed);
  const mask = {
    sees: (query: number, key: number) => key <= query,
    tile: (query: { first: number; last: number }, key: { first: number; last: number }) =>
      key.first > query.last ? "none" : key.last <= query.first ? "all" : "some",
  } as const;
  const extent = {
    batches: 1,
    heads: H!,
    queries: T!,
    firstQuery: 0,
    keyPositions: [Int32Array.from({ length: T! }, (_, i) => i)],
  };
  return {
    query: of(H!, 1),
    keyValues: { key: [of(Hkv!, 2)], value: [of(Hkv!, 3)], positions: { start: 0 } },
    firstQuery: 0,
    scale: 1 / Math.sqrt(D!),
    plan: tilePlan(mask, extent, false, false),
    traces: [],
  };
}

/** Runs a call and its gradient, and returns all that they write. */
function run(device: Device, call: AttentionCall, dOutput: Tensor): Tensor[] {
  const { B, H, T, Dv } = callSizes(call);
  const empty = (shape: readonly number[]) => zeros(shape, { device });
  const saved = { output: empty([B, H, T, Dv]), lse: empty([B, H, T]) };
  const to = mapCall(call, ({ shape }: Tensor) => empty(shape));
  const { attention, attentionBackward } = device.kernels as unknown as AttentionKernels;
  expect(attention(call, saved)).toBe(true);
  expect(attentionBackward(call, saved, { output: dOutput }, to)).toBe(true);
  return [saved.output, saved.lse, to.query, to.keyValues.key[0] as Tensor, to.keyValues.value[0] as Tensor];
}

test("4096 tokens and 12 heads, forward and backward, allocate less than 64 MiB besides their tensors", async () => {
  const { device } = await open(nothing);
  const call = causalCall([12, 12, 4096, 64], (shape) => zeros(shape, { device }));
  const dOutput = zeros(call.query.shape, { device });
  const written = run(device, call, dOutput);
  await device.finish();
  const inputs = [call.query, call.keyValues.key[0] as Tensor, call.keyValues.value[0] as Tensor, dOutput];
  const bytes = [...inputs, ...written].reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
  expect(device.memory().peakBytes! - bytes).toBeLessThan(64 * 2 ** 20);
  device.close();
});

test("32,768 tokens are split into dispatches of at most 200 ms at the measured rate", async () => {
  const { device, measured } = await open(nothing);
  const rate = 2e10;
  measured(rate);
  const [H, T, D] = [2, 32768, 64];
  const call = causalCall([H, 1, T, D], (shape) => zeros(shape, { device }));
  const before = device.report().counts.dispatches;
  run(device, call, zeros(call.query.shape, { device }));
  const dispatches = device.report().counts.dispatches - before;
  await device.finish();
  // Forward 4 D, the two passes of the gradient 6 D and 8 D FLOPs for each pair, and half the rate.
  const least = (H * (T * T) * 0.5 * 18 * D) / (0.5 * rate * 0.2);
  expect(dispatches).toBeGreaterThan(least);
  expect(dispatches).toBeLessThan(1.2 * least);
  device.close();
});

test("ranges cover all workgroups, and only a range of one workgroup exceeds the limit", () => {
  const flopsOf = (unit: number) => (unit % 7) + 1;
  const ranges = unitRanges(100, flopsOf, 7, 10);
  expect(ranges[0]![0]).toBe(0);
  expect(ranges.at(-1)![1]).toBe(100);
  ranges.forEach(([first, end], i) => {
    if (i > 0) expect(first).toBe(ranges[i - 1]![1]);
    let sum = 0;
    for (let unit = first; unit < end; unit++) sum += flopsOf(unit);
    expect(sum).toBeLessThanOrEqual(10);
  });
  expect(unitRanges(3, () => 20, 20, 10)).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  expect(unitRanges(3, () => 1, 1, 10)).toEqual([[0, 3]]);
  expect(unitRanges(0, () => 1, 1, 10)).toEqual([]);
});

describe.skipIf(!(await gpu.requestAdapter()))("on the adapter of this machine", () => {
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => (opened = await open(gpu)), 300_000);
  afterAll(() => opened.device.close());

  test(
    "a call split into many dispatches equals the call in one dispatch, bit for bit",
    { timeout: 300_000 },
    async () => {
      const { device, measured } = opened;
      const call = causalCall([4, 2, 150, 8], (shape, seed) => randn(shape, { seed, device }));
      const dOutput = randn(call.query.shape, { seed: 4, device });
      const numbers = async () => {
        const before = device.report().counts.dispatches;
        const written = run(device, call, dOutput);
        const dispatches = device.report().counts.dispatches - before;
        return { dispatches, arrays: await Promise.all(written.map((x) => x.read())) };
      };
      const unsplit = await numbers();
      measured(4e6);
      const split = await numbers();
      expect(unsplit.dispatches).toBe(4);
      expect(split.dispatches).toBeGreaterThan(20);
      expect(split.arrays).toEqual(unsplit.arrays);
    },
  );
});
