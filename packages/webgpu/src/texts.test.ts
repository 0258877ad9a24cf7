// Every shader as Dawn compiles it, on its null backend: no driver, and nothing is computed.
import {
  dropoutMask,
  expression,
  lookup,
  tilePlan,
  type AttentionCall,
  type AttentionKernels,
  type AttentionOutputs,
} from "@qkv/attention-contract";
import { zeros, type Device } from "@qkv/tensor";
import { deviceOpCases } from "@qkv/test-support/device-op-cases";
import { opCases } from "@qkv/test-support/gpu-op-cases";
import { expect, test } from "vitest";
import { create } from "webgpu";
import { makeDevice } from "./device.js";
import { openDevice } from "./open.js";
import { checkOptions } from "./options.js";

/** Held as long as the tests run: the process ends when it is collected. */
const gpu = create(["backend=null"]);

/** The null backend tells of no lanes: as an adapter of 32 it has the texts with subgroups, too. */
async function adapterOfLanes(): Promise<GPUAdapter> {
  const adapter = (await gpu.requestAdapter())!;
  return new Proxy(adapter, {
    get(_, name) {
      if (name === "info") return { subgroupMinSize: 32 };
      const value = Reflect.get(adapter, name, adapter) as unknown;
      return typeof value === "function" ? (value.bind(adapter) as unknown) : value;
    },
  });
}

test.each([false, true])("all shaders compile within plain limits, subgroups %s", async (subgroups) => {
  const options = checkOptions({ adapter: await adapterOfLanes(), subgroups });
  const { device } = await makeDevice(() => openDevice(options), options);
  for (const { name, f, inputs } of [...opCases, ...deviceOpCases]) {
    device.scope(() => f(...inputs.map((x) => x.to(device))));
    await expect(device.finish(), name).resolves.toBeUndefined();
  }
  for (const call of attentionCalls(device)) {
    device.scope(() => attend(device, call));
    await expect(device.finish()).resolves.toBeUndefined();
  }
  const { calls, counts } = device.report();
  expect(
    Object.keys(device.kernels).filter((op) => !calls[op]?.device && !op.startsWith("attention")),
  ).toEqual([]);
  expect(counts.pipelines).toBeGreaterThan(200);
  device.close();
});

/** Calls of attention that differ in their shaders: sizes of heads, expressions, positions, traces. */
function attentionCalls(device: Device): AttentionCall[] {
  const [B, H, Hkv, T, S] = [1, 4, 2, 8, 70];
  const extent = { batches: B, heads: H, queries: T, firstQuery: 0, keyPositions: [new Int32Array(S)] };
  const plan = tilePlan(undefined, extent, false, false);
  const of = (...shape: number[]) => zeros(shape, { device });
  const table = of(H, 3);
  const scoreMod = expression((score, at) =>
    score
      .sub(lookup(table, at.head, at.key).tanh())
      .max(at.query.pow(2))
      .where(score.exp().log(), -Infinity),
  );
  const weightMod = expression((weight, at) => weight.mul(dropoutMask(at, 0.5, 7)));
  const positions = [{ start: 3 }, new Int32Array(B * Hkv * S)];
  return [7, 64].flatMap((D) =>
    [0, 1, 2, 3, 4, 5].map((n): AttentionCall => ({
      query: of(B, H, T, D),
      keyValues: { key: [of(B, Hkv, S, D)], value: [of(B, Hkv, S, D + 4 * n)], positions: positions[n % 2]! },
      firstQuery: 0,
      scale: 1,
      softcap: n & 1 ? 5 : 0,
      ...(n & 2 && { sinks: of(H), scoreMod }),
      ...(n & 4 && { weightMod }),
      plan,
      want: n === 5 ? ["dots", "capped", "scores", "weights"] : [],
    })),
  );
}

function attend(device: Device, call: AttentionCall): void {
  const { query, keyValues, want } = call;
  const [B, H, T] = query.shape as [number, number, number, number];
  const [S, Dv] = (keyValues.value[0] as { shape: readonly number[] }).shape.slice(2) as [number, number];
  const of = (...shape: number[]) => zeros(shape, { device });
  const outputs = { output: of(B, H, T, Dv), lse: of(B, H, T) } as Record<string, unknown>;
  for (const name of want) outputs[name] = of(B, H, T, S);
  const { attention } = device.kernels as unknown as AttentionKernels;
  expect(attention(call, outputs as AttentionOutputs)).toBe(true);
}
