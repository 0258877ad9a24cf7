import { tensor, type Device, type Tensor } from "@qkv/tensor";
import "./allclose.js";
import { expect } from "vitest";

/** A device's own kernel gives what the plain device gives, in and out of scopes. */
export type Agreement = {
  /** Largest distance, as a share of the largest number of the result, or of 1. Default 2e-5, read later 1e-5. */
  tolerance?: number;
  /** Ops that must have run on kernels of the device, each time they ran. */
  ops?: readonly string[];
};

type Compared = [device: Device, f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]];

/** Runs `f` on the plain device and on `device`, with inputs that live there and inputs that do not, and compares. */
export function agree(
  ...[device, f, inputs, { tolerance = 2e-5, ops = [] } = {}]: [...Compared, Agreement?]
) {
  const { results, compare } = runs(device, f, inputs, ops);
  for (const result of results) compare(result, result.data, tolerance);
}

/** As {@link agree}, for a device that gives its numbers later. */
export async function agreeOnRead(
  ...[device, f, inputs, { tolerance = 1e-5, ops = [] } = {}]: [...Compared, Agreement?]
) {
  const { results, compare } = runs(device, f, inputs, ops);
  for (const result of results) compare(result, await result.read(), tolerance);
}

function runs(...[device, f, inputs, ops]: [...Compared, readonly string[]]) {
  const expected = f(...inputs);
  const plainRuns = () => ops.map((op) => device.report().calls[op]?.plain ?? 0);
  const before = plainRuns();
  const moved = inputs.map((x) => x.to(device));
  const results = [
    f(...moved),
    device.scope(() => f(...moved)),
    device.scope(() => f(...inputs.map((x) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device })))),
  ];
  expect(plainRuns(), `runs of ${ops.join()} on the plain kernel`).toEqual(before);
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

/** The distance between float32 numbers near x. */
export function ulp(x: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
}
