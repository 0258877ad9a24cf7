// Kernels of the WebGPU device, with Node's default adapter, compared with the plain device: random shapes, layouts,
// masks and values, from the cases of the WebAssembly device.
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";
import { webgpu, type WebGpuDevice } from "@qkv/webgpu";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { create } from "webgpu";
import type { Case } from "./differential/case.js";
import { cases } from "./differential/cases.js";
import type { Input } from "./differential/inputs.js";
import { seededRandom } from "./differential/random.js";

/** Keeps the GPU referenced during the tests: the process ends when it is garbage-collected. */
const gpu = create([]);

/** Sums in float32 and less precise functions than the WebAssembly device's; subnormal values may be 0. */
const least = { relative: 2e-5, absolute: 2e-5 };

describe.skipIf(!(await gpu.requestAdapter()))("webgpu", () => {
  let device: WebGpuDevice;
  beforeAll(async () => (device = await webgpu({ gpu })), 300_000);
  afterAll(() => device.close());

  // The gradient of attention has a test of its own, with few head sizes; that of cross-entropy is composed of other
  // operations.
  const left = ["attentionBackward", "crossEntropyBackward"];
  const names = Object.keys(cases).filter((name) => !left.includes(name));

  test.each(names)("property: %s", async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.nat(2 ** 31)), fc.boolean(), async (seed, scoped) => {
        const { inputs, f, tolerance } = cases[name]!(seededRandom(seed));
        // WGSL may assume that no value is infinite or NaN: results for rows with such scores depend on the adapter.
        fc.pre(name !== "attention" || inputs.every(isFinite));
        const expected = compute(js(), inputs, f, scoped);
        const result = compute(device, inputs, f, scoped);
        expect(result.shape).toEqual(expected.shape);
        expect({ data: await result.read(), shape: result.shape }).toBeAllclose(expected, {
          rtol: Math.max(tolerance.relative, least.relative),
          atol: Math.max(tolerance.absolute, least.absolute),
          equalNan: true,
        });
      }),
      { numRuns: 8 },
    );
    expect(device.report().calls[name]).toEqual({ device: expect.any(Number) as number, plain: 0 });
  });
});

const isFinite = (input: Input) => (input((x) => x).data as Float32Array).every(Number.isFinite);

function compute(device: Device, inputs: readonly Input[], f: Case["f"], scoped: boolean): Tensor {
  const on = (x: Tensor) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device });
  const run = () => f(...inputs.map((input) => input(scoped ? on : (x) => x.to(device))));
  return scoped ? device.scope(run) : run();
}
