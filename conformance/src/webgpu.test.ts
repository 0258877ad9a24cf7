// One case of each family of tests on the WebGPU device, with Node's default adapter: few shaders, so that a software
// renderer compiles them in seconds. The files webgpu-*.slow.test.ts have the others.
import { attention, causal, chunkwise, recurrent } from "@qkv/attention";
import { growingCache } from "@qkv/kv-cache";
import { abs, categorical, grad, mul, neg, randn, sum, type Device, type Tensor } from "@qkv/tensor";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);
const near = { rtol: 2e-5, atol: 2e-5 };

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  const options = { mask: causal() };
  const inputs = (on?: Device, T = 9, seed = 0) =>
    [4, 2, 2].map((heads, i) => {
      const x = randn([1, heads, T, 8], { seed: seed + i });
      return on ? x.to(on) : x;
    }) as [Tensor, Tensor, Tensor];

  test("a prompt, and then a token that reads a cache, attend as on the plain device", async () => {
    const run = (on?: Device) => {
      const cache = growingCache();
      return [9, 1].map((T, step) => {
        const [q, k, v] = inputs(on, T, 10 * step);
        return attention(q, cache.update(0, k, v), options);
      });
    };
    const expected = run();
    for (const [step, ours] of run(device).entries())
      expect(await ours.read(), `step ${step}`).toBeAllclose(expected[step]!.data, near);
    expect(device.report().calls["attention"]).toEqual({ device: 2, plain: 0 });
  });

  test("gradients of attention equal the plain device's", async () => {
    const loss = ([q, k, v]: [Tensor, Tensor, Tensor]) => {
      const output = attention(q, k, v, options);
      return sum(mul(output, output));
    };
    const [expected, ours] = [grad(loss)(inputs()), grad(loss)(inputs(device))];
    for (const [i, x] of ours.entries()) expect(await x.read()).toBeAllclose(expected[i]!.data, near);
  });

  test("a scan with decay, and a sample, equal the plain device's", async () => {
    const scanned = (on?: Device) => {
      const moved = (x: Tensor) => (on ? x.to(on) : x);
      const [query, key, value] = [0, 1, 2].map((seed) => moved(randn([1, 2, 9, 5], { seed }))) as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const decay = moved(neg(abs(randn([1, 2, 9, 1], { seed: 3 }))));
      const state = moved(randn([1, 2, 5, 5], { seed: 4 }));
      return (on ? chunkwise() : recurrent)({ query, key, value, decay }, state).output;
    };
    expect(await scanned(device).read()).toBeAllclose(scanned().data, near);
    const logits = randn([7, 33], { seed: 2 });
    expect(await categorical(logits.to(device), { seed: 5 }).read()).toEqual(
      categorical(logits, { seed: 5 }).data,
    );
  });
});
