// The device with only the kernels of attention, compared with the plain device.
import {
  alibi,
  attention,
  causal,
  slidingWindow,
  tracedAttention,
  type AttentionOptions,
} from "@qkv/attention";
import { grad, mul, randn, sum, type Tensor } from "@qkv/tensor";
import { webgpuAttention, type WebGpuDevice } from "@qkv/webgpu";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const near = { rtol: 2e-5, atol: 2e-5 };

describe.skipIf(!(await gpu.requestAdapter()))("webgpu, attention alone", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpuAttention({ gpu })), 300_000);
  afterAll(() => device.close());

  const [query, one] = [130, 1].map((T) => randn([1, 4, T, 16], { seed: T }));
  const [key, value] = [2, 3].map((seed) => randn([1, 2, 130, 16], { seed })) as [Tensor, Tensor];
  const cases: [string, AttentionOptions][] = [
    ["no mask", {}],
    ["a causal mask", { mask: causal() }],
    ["a window, a softcap and a bias", { mask: slidingWindow(20), softcap: 5, bias: alibi(4) }],
  ];

  test.each(cases)("%s: prefill and decoding equal the plain device's", async (_, options) => {
    for (const q of [query!, one!]) {
      const right = attention(q, key, value, options);
      const ours = attention(q.to(device), key.to(device), value.to(device), options);
      expect(await ours.read()).toBeAllclose(right.data, near);
    }
  });

  test("several segments of keys are read together, and traces are written", async () => {
    const run = (on: (x: Tensor) => Tensor) => {
      const [k, v] = [on(key), on(value)];
      return tracedAttention(
        on(query!),
        { key: [k, k], value: [v, v], positions: { start: 0 } },
        { mask: causal() },
        ["weights"],
      );
    };
    const [right, ours] = [run((x) => x), run((x) => x.to(device))];
    expect(await ours.output.read()).toBeAllclose(right.output.data, near);
    expect(await ours.weights.read()).toBeAllclose(right.weights.data, near);
  });

  test("attention never ran on the plain kernel, and the self-test tested attention", () => {
    const { calls, selfTestError, flopsPerSecond, counts } = device.report();
    expect(calls["attention"]).toMatchObject({ plain: 0 });
    expect(calls["matmul"]).toBeUndefined();
    expect(selfTestError).toBeGreaterThan(0);
    expect(selfTestError).toBeLessThan(1e-5);
    expect(flopsPerSecond).toBeGreaterThan(1e6);
    expect(counts.pipelines).toBeGreaterThan(2);
  });

  test("an operation without a kernel runs on host data; for GPU data the error says to read it first", async () => {
    const x = one!.to(device);
    expect(mul(x, 2).data).toEqual(mul(one!, 2).data);
    const y = attention(x, x, x);
    expect(() => mul(y, 2)).toThrow(/`await tensor\.read\(\)` first/);
    await y.read();
    expect(mul(y, 2).data[0]).toBeCloseTo(2 * y.data[0]!, 6);
    expect(() => grad((x: Tensor) => sum(attention(x, x, x)))(x)).toThrow(/`await tensor\.read\(\)` first/);
  });
});
