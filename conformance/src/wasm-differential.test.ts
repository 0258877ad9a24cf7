/// <reference types="node" />
// Every kernel of the wasm device compared with the plain one: random shapes, layouts, masks and values, on both
// builds; and bitwise equal for any number of threads.
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";
import { wasm, type WasmDevice } from "@qkv/wasm";
import fc from "fast-check";
import "@qkv/test-support/allclose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Case } from "./differential/case.js";
import { cases } from "./differential/cases.js";
import type { Input } from "./differential/inputs.js";
import { seededRandom } from "./differential/random.js";
import { casesByTier, runs } from "../../scripts/tier.mjs";

const builds = ["plain", "relaxed"] as const;

describe.each(casesByTier(builds, (build) => build === "relaxed"))("wasm,%s", (build) => {
  let devices: WasmDevice[] = [];
  beforeAll(async () => {
    devices = await Promise.all([1, 2, 3].map((threads) => wasm({ build, threads })));
  });
  afterAll(async () => {
    await Promise.all(devices.map((device) => device.close()));
  });

  test("every kernel has a case", () => {
    expect(Object.keys(devices[0]!.kernels).filter((name) => !(name in cases))).toEqual([]);
  });

  // The targets of a loss are a kernel for devices that compute its gradient in parts.
  const names = Object.keys(cases).filter((name) => name !== "targetWeights");
  const tested = casesByTier(names, (name) => ["attention", "matmul", "sum"].includes(name));
  test.each(tested)("property: %s", (name) => {
    fc.assert(
      fc.property(fc.noBias(fc.nat(2 ** 31)), fc.boolean(), (seed, scoped) => {
        const { inputs, f, tolerance } = cases[name]!(seededRandom(seed));
        const expected = compute(js(), inputs, f, scoped);
        const [one, ...others] = devices.map((device) => compute(device, inputs, f, scoped));
        expect(one!.shape).toEqual(expected.shape);
        expect(one!.data).toBeAllclose(expected.data, {
          rtol: tolerance.relative,
          atol: tolerance.absolute,
          equalNan: true,
        });
        for (const other of others) expect(bytesOf(other).equals(bytesOf(one!))).toBe(true);
      }),
      { numRuns: runs(25) },
    );
    expect(devices[0]!.report().calls[name]?.device).toBeGreaterThan(0);
  });
});

function compute(
  device: Device | WasmDevice,
  inputs: readonly Input[],
  f: Case["f"],
  scoped: boolean,
): Tensor {
  const on = (x: Tensor) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device });
  const run = () => f(...inputs.map((input) => input(scoped ? on : (x) => x.to(device))));
  return scoped ? device.scope(run) : run();
}

function bytesOf({ data }: Tensor): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
