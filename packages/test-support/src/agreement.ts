import { tensor, type Device, type Tensor } from "@qkv/tensor";
import "./allclose.js";
import { expect } from "vitest";

/** Options of a comparison of a device with the plain one. */
export type Agreement = {
  /**
   * Largest difference, relative to the largest magnitude of the expected result, or to 1 if that is larger. Default 2e-5
   * for `agree`, 1e-5 for `agreeOnRead`.
   */
  tolerance?: number;
  /** Ops that must have run on the device's own kernels, never on plain ones. */
  ops?: readonly string[];
};

type Compared = [device: Device, f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]];

/**
 * Runs `f` on the plain device and on `device`, and expects equal results: outside of a scope, inside of one, and with inputs
 * that were created inside of the scope.
 */
export function agree(
  ...[device, f, inputs, { tolerance = 2e-5, ops = [] } = {}]: [...Compared, Agreement?]
) {
  const { results, compare } = runOnBoth(device, f, inputs, ops);
  for (const result of results) compare(result, result.data, tolerance);
}

/** {@link agree} for devices whose results must be awaited (`await tensor.read()`). */
export async function agreeOnRead(
  ...[device, f, inputs, { tolerance = 1e-5, ops = [] } = {}]: [...Compared, Agreement?]
) {
  const { results, compare } = runOnBoth(device, f, inputs, ops);
  for (const result of results) compare(result, await result.read(), tolerance);
}

/** The three results on `device`, and a function that compares one of them with the result of the plain device. */
function runOnBoth(...[device, f, inputs, ops]: [...Compared, readonly string[]]) {
  const expected = f(...inputs);
  const plainRuns = () => ops.map((op) => device.report().calls[op]?.plain ?? 0);
  const plainRunsBefore = plainRuns();
  const moved = inputs.map((x) => x.to(device));
  const results = [
    f(...moved),
    device.scope(() => f(...moved)),
    device.scope(() => f(...inputs.map((x) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device })))),
  ];
  expect(plainRuns(), `runs of ${ops.join()} on the plain kernel`).toEqual(plainRunsBefore);
  for (const op of ops) expect(device.report().calls[op]?.device ?? 0, op).toBeGreaterThan(0);
  const compare = (result: Tensor, data: Tensor["data"], atol: number) => {
    expect(result.dtype).toBe(expected.dtype);
    expect(result.device).toBe(device);
    expect({ data, shape: result.shape }).toBeAllclose(expected, {
      rtol: 0,
      atol,
      scaled: true,
      equalNan: true,
    });
  };
  return { results, compare };
}

/** Unit in the last place of a float32 number: the distance to the next one. */
export function ulp(x: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
}
