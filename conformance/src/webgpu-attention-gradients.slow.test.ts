// Gradients of attention on the WebGPU device, with Node's default adapter, compared with the plain device. Shapes are
// random, but head sizes few: they are constants in the shaders, which a software renderer compiles for seconds.
import { attention, causal, padding, slidingWindow, tracedAttention } from "@qkv/attention";
import { add, concat, grad, mul, randn, reshape, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import { gradientCase, gradientCases } from "./differential/attention-gradients.js";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);

type Loss = (inputs: readonly Tensor[]) => Tensor;

describe.skipIf(!(await gpu.requestAdapter()))("gradients of attention on webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => {
    const { calls } = device.report();
    device.close();
    expect(calls["attentionBackward"]?.plain).toBe(0);
  });

  /** Compares gradients of a loss of tensors that are only on the GPU. */
  async function agree(loss: Loss, inputs: readonly Tensor[], atol = 3e-5): Promise<void> {
    const expected = grad(loss)([...inputs]);
    const got = device.scope(() => grad(loss)(inputs.map((x) => add(x.to(device), 0))));
    for (const [i, x] of expected.entries())
      expect(await got[i]!.read(), `input ${i}`).toBeAllclose(x.data, {
        rtol: 0,
        atol,
        scaled: true,
        equalNan: true,
      });
  }

  test.each([
    ["nothing", 8, 8],
    ["t5", 8, 8],
    ["dense bias", 8, 8],
    ["dropout", 5, 12],
    ["every step", 8, 8],
  ] as const)("property: %s", { timeout: 900_000 }, async (change, D, Dv) => {
    await fc.assert(
      fc.asyncProperty(gradientCases, async (drawn) => {
        // One or two queries have forward kernels of their own.
        const T = change === "nothing" || drawn.T > 2 ? drawn.T : 9;
        // A bias of one head is looked up without the head's index, by another shader.
        const group = change === "dense bias" ? 2 : drawn.group;
        const { inputs, loss } = gradientCase({ ...drawn, group, T, D, Dv, change });
        await agree(loss, inputs);
      }),
      { numRuns: 10 },
    );
  });

  const three = (T: number, S = T, D = 8, Dv = D) =>
    [
      [4, T, D],
      [2, S, D],
      [2, S, Dv],
    ].map(([H, length, size], seed) => randn([1, H!, length!, size!], { seed }));

  test("head sizes that need separate passes for keys and values", { timeout: 900_000 }, async () => {
    const loss: Loss = ([q, k, v]) => sum(mul(attention(q!, k!, v!, { mask: causal() }), 3));
    await agree(loss, three(40, 70, 129, 100));
  });

  test("keys and values in two segments", { timeout: 900_000 }, async () => {
    const loss: Loss = ([q, k, v]) => {
      const parts = (x: Tensor) => [slice(x, 2, 0, 30), slice(x, 2, 30, 70)];
      const output = attention(
        q!,
        { key: parts(k!), value: parts(v!), positions: { start: 0 } },
        { mask: slidingWindow(20) },
      );
      return sum(mul(output, output));
    };
    await agree(loss, three(20, 70));
  });

  test("gradients that reach lse and every trace", { timeout: 900_000 }, async () => {
    const names = ["dots", "capped", "scores", "weights", "lse"] as const;
    const loss: Loss = ([q, k, v]) => {
      const options = { mask: slidingWindow(9), softcap: 2 };
      const traced = tracedAttention(q!, k!, v!, options, names);
      // Scores of masked pairs are −∞, and are excluded from the loss.
      const parts = names.map((name) => {
        const x = name === "scores" ? slice(traced.scores, 3, 0, 1) : traced[name];
        return reshape(mul(x, randn(x.shape, { seed: 5, device: x.device })), [-1]);
      });
      return sum(
        concat([...parts.filter((_, i) => names[i] !== "scores"), reshape(mul(traced.output, 2), [-1])], 0),
      );
    };
    await agree(loss, three(70));
  });

  test(
    "scores of 10⁴ tilt no weight: the largest score and the sum are kept",
    { timeout: 900_000 },
    async () => {
      // The first element of each head makes scores of 10⁴, which the others change slightly.
      const inputs = three(67).map((x, i) =>
        i === 2
          ? x
          : tensor(
              [...x.data].map((value, n) => (n % 8 === 0 ? 100 : value * 0.3)),
              { shape: x.shape },
            ),
      );
      const loss: Loss = ([q, k, v]) => sum(attention(q!, k!, v!, { mask: causal(), scale: 1 }));
      await agree((all) => mul(loss(all), 1), inputs, 3e-3);
    },
  );

  test(
    "a value that no query sees may hold NaN, and one that is seen gives NaN",
    { timeout: 900_000 },
    async () => {
      const [q, ...others] = three(70);
      const poisoned = others.map((x) =>
        tensor(
          [...x.data].map((value, n) => (n % 560 >= 69 * 8 ? NaN : value)),
          { shape: x.shape },
        ),
      );
      await agree(([q, k, v]) => sum(attention(q!, k!, v!, { mask: padding([69]) })), [q!, ...poisoned]);
      const loss: Loss = ([q, k, v]) => sum(attention(q!, k!, v!, { mask: slidingWindow(3) }));
      const [dQuery] = grad(loss)([q!, ...poisoned].map((x) => x.to(device)));
      // Only the last query sees the NaN.
      [...(await dQuery!.read())].forEach((x, n) => expect(Number.isNaN(x)).toBe(n % 560 >= 69 * 8));
    },
  );
});
