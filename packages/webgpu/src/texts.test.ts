// Every shader as Dawn compiles it, on its null backend: no driver, and nothing is computed.
import {
  callSizes,
  dropoutMask,
  expression,
  lookup,
  mapCall,
  tilePlan,
  type AttentionCall,
  type AttentionKernels,
  type AttentionOutputs,
  type KeyValueSegment,
  type PagedBlocks,
} from "@qkv/attention-contract";
import { transpose, zeros, type Device, type DType, type Kernel, type Tensor } from "@qkv/tensor";
import { deviceOpCases } from "@qkv/test-support/device-op-cases";
import { opCases } from "@qkv/test-support/gpu-op-cases";
import { expect, test } from "vitest";
import { create } from "webgpu";
import { casesByTier } from "../../../scripts/tier.mjs";
import { makeDevice } from "./device.js";
import { everyKernel } from "./kernels/kernels.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";

/** Kept for all tests: the process ends if this object is garbage-collected. */
const gpu = create(["backend=null"]);

/** The null backend reports no subgroup size. With a size of 32, shaders with subgroups are compiled, too. */
async function adapterWithSubgroups(): Promise<GPUAdapter> {
  const adapter = (await gpu.requestAdapter())!;
  return new Proxy(adapter, {
    get(_, name) {
      if (name === "info") return { subgroupMinSize: 32 };
      const value = Reflect.get(adapter, name, adapter) as unknown;
      return typeof value === "function" ? (value.bind(adapter) as unknown) : value;
    },
  });
}

test.each(casesByTier([false, true], (subgroups) => subgroups))(
  "all shaders compile within default limits, subgroups %s",
  async (subgroups) => {
    const options = checkOptions({ adapter: await adapterWithSubgroups(), subgroups });
    const { device } = await makeDevice(everyKernel, () => openDevice(options), options);
    for (const { name, f, inputs } of [...opCases, ...deviceOpCases]) {
      device.scope(() => f(...inputs.map((x) => x.to(device))));
      await expect(device.finish(), name).resolves.toBeUndefined();
    }
    for (const call of attentionCalls(device)) {
      device.scope(() => attend(device, call));
      await expect(device.finish()).resolves.toBeUndefined();
      // The gradient for few queries has the same shaders.
      if (call.query.shape[2]! < 64) continue;
      device.scope(() => attendBackward(device, call));
      await expect(device.finish()).resolves.toBeUndefined();
    }
    const others = attentionOpCalls(device);
    for (const [name, inputs, outputs, attributes] of others) {
      const kernel = device.kernels[name] as unknown as Kernel;
      device.scope(() => expect(kernel(inputs, outputs, attributes), name).toBe(true));
      await expect(device.finish(), name).resolves.toBeUndefined();
    }
    const { calls, counts } = device.report();
    const called = new Set(others.map(([name]) => name));
    expect(
      Object.keys(device.kernels).filter(
        (op) => !calls[op]?.device && !called.has(op) && !op.startsWith("attention"),
      ),
    ).toEqual([]);
    expect(counts.pipelines).toBeGreaterThan(200);
    device.close();
  },
);

type KernelCall = [name: string, inputs: Tensor[], outputs: Tensor[], attributes?: unknown];

/** Calls of the operations that attention's package defines, and of those without a case in {@link opCases}. */
function attentionOpCalls(device: Device): KernelCall[] {
  const of = (...shape: number[]) => zeros(shape, { device });
  const scans = [3, 8, 64, 130].flatMap((K) =>
    (["before", "after"] as const).flatMap((reads) =>
      [[], ["decay"], ["erase"], ["decay", "erase", "beta"]].map((optional): KernelCall => {
        const rows = of(1, 2, 5, K);
        const given = optional.map((name) => (name === "erase" ? rows : of(1, 2, 5, 1)));
        const [value, state] = [of(1, 2, 5, 9), of(1, 2, K, 9)];
        const attributes = { chunkSize: 64, reads, erases: reads, scale: 1, optional, overwrite: false };
        return ["scan", [rows, rows, value, state, ...given], [of(1, 2, 5, 9), of(1, 2, K, 9)], attributes];
      }),
    ),
  );
  return [
    ...scans,
    ["unitLowerInverse", [of(2, 3, 7, 7)], [of(2, 3, 7, 7)]],
    ["solvePositiveDefinite", [of(3, 7, 7), of(3, 7)], [of(3, 7)]],
    ["maxPoolPatches", [of(1, 4, 3)], [of(1, 2, 3)], { ids: Int32Array.of(0, 0, 1, 1), numPatches: 2 }],
    [
      "sampleToken",
      [of(300)],
      [zeros([], { dtype: "int32", device }), of()],
      { temperature: 1, topK: 5, topP: 0.9, minP: 0, uniform: 0.5 },
    ],
    ["categorical", [of(3, 7)], [zeros([3], { dtype: "int32", device })], { key: [1, 2], draw: 0 }],
  ];
}

/** Calls of attention that differ in their shaders: sizes of heads, expressions, positions, traces, numbers of queries. */
function attentionCalls(device: Device): AttentionCall[] {
  const [B, H, Hkv, S] = [1, 4, 2, 70];
  const of = (...shape: number[]) => zeros(shape, { device });
  const planOf = (queries: number) =>
    tilePlan(
      undefined,
      { batches: B, heads: H, queries, firstQuery: 0, keyPositions: [new Int32Array(S)] },
      false,
      false,
    );
  const table = of(H, 3);
  const scoreMod = expression((score, at) =>
    score
      .sub(lookup(table, at.head, at.key).tanh())
      .max(at.query.pow(2))
      .where(score.exp().log(), -Infinity),
  );
  const dense = of(1, H, 66, S);
  const bias = expression((score, at) => score.add(lookup(dense, 0, at.head, at.query, at.key.sub(3))));
  const weightMod = expression((weight, at) =>
    weight.mul(dropoutMask(at, 0.5, 7)).add(lookup(table, at.head, 0)),
  );
  const positions = [{ start: 3 }, new Int32Array(B * Hkv * S)];
  const forward = [7, 64, 160].flatMap((D) =>
    [0, 1, 2, 3, 4, 5].map((n): AttentionCall => ({
      query: of(B, H, 66, D),
      keyValues: { key: [of(B, Hkv, S, D)], value: [of(B, Hkv, S, D + 4 * n)], positions: positions[n % 2]! },
      firstQuery: 0,
      scale: 1,
      softcap: n & 1 ? 5 : 0,
      ...(n & 2 && { sinks: of(H), scoreMod: n === 2 ? bias : scoreMod }),
      ...(n & 4 && { weightMod }),
      plan: planOf(66),
      traces: n === 5 ? ["dots", "capped", "scores", "weights"] : [],
    })),
  );
  // Few queries: several rows of queries per workgroup, head dimensions up to one of which only a single row fits, and every
  // layout of keys and values.
  const pages = (dtype: DType, D: number, scale?: readonly [number, number]): PagedBlocks => ({
    data: zeros([5, Hkv, 16, D], { dtype, device }),
    ...(scale && { scale: of(5, Hkv, ...scale) }),
    table: new Int32Array(5),
    blockLength: 16,
    length: S,
  });
  const layouts = (D: number): KeyValueSegment[] => [
    of(B, Hkv, S, D),
    transpose(of(B, Hkv, D, S)),
    pages("float32", D),
    pages("int8", D, [16, 1]),
    pages("int8", D, [1, D]),
    pages("uint8", D, [1, D]),
    pages("float16", D, [1, D]),
  ];
  const decoding = [7, 64, 256, 576].flatMap((D) =>
    layouts(D).map((segment, n): AttentionCall => ({
      query: of(B, H, 1 + (n % 3), D),
      keyValues: { key: [segment], value: [segment], positions: positions[n % 2]! },
      firstQuery: 0,
      scale: 1,
      softcap: n & 1 ? 5 : 0,
      ...(n & 2 && { sinks: of(H) }),
      ...(n === 4 && { scoreMod }),
      plan: planOf(1 + (n % 3)),
      traces: [],
    })),
  );
  return [...forward, ...decoding];
}

/** Zeros with the shapes of a call's outputs: the outputs, or the gradients with respect to them. */
function outputsOf(device: Device, call: AttentionCall): AttentionOutputs {
  const { B, H, T, S, Dv } = callSizes(call);
  const of = (...shape: number[]) => zeros(shape, { device });
  const traces = call.traces.map((name) => [name, of(B, H, T, S)]);
  return { output: of(B, H, T, Dv), lse: of(B, H, T), ...Object.fromEntries(traces) } as AttentionOutputs;
}

const kernelsOf = (device: Device) => device.kernels as unknown as AttentionKernels;

function attend(device: Device, call: AttentionCall): void {
  expect(kernelsOf(device).attention(call, outputsOf(device, call))).toBe(true);
}

function attendBackward(device: Device, call: AttentionCall): void {
  const saved = outputsOf(device, call);
  const to = mapCall(call, ({ shape }) => zeros(shape, { device }));
  const { lse, ...others } = outputsOf(device, call);
  for (const gradients of call.traces.length > 0 ? [{ lse, ...others }, others, { lse }] : [others])
    expect(kernelsOf(device).attentionBackward(call, saved, gradients, to)).toBe(true);
}
