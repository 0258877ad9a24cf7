import { tensor, type Device, type Tensor } from "@qkv/tensor";
import "./allclose.js";
import { expect } from "vitest";

/** An op with a device's own kernel gives what the plain device gives, in and out of scopes. */
export type Agreement = {
  /** Largest distance, as a share of the largest number of the result. Default 2e-5. */
  tolerance?: number;
  /** Ops that must have run on kernels of the device, each time they ran. */
  ops?: readonly string[];
};

/** Runs `f` on the plain device and on `device`, with inputs that live there and inputs that do not, and compares. */
export function agree(
  device: Device,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { tolerance = 2e-5, ops = [] }: Agreement = {},
): void {
  const expected = f(...inputs);
  const plainRuns = () => ops.map((op) => device.report().calls[op]?.plain ?? 0);
  const before = plainRuns();
  const moved = inputs.map((x) => x.to(device));
  const results = [
    f(...moved),
    device.scope(() => f(...moved)),
    device.scope(() => f(...inputs.map((x) => tensor(x.data, { shape: x.shape, dtype: x.dtype, device })))),
  ];
  for (const result of results) {
    expect(result.shape).toEqual(expected.shape);
    expect(result.dtype).toBe(expected.dtype);
    expect(result.device).toBe(device);
    expect(result.data).toBeAllclose(expected.data, {
      rtol: 0,
      atol: tolerance,
      scaled: true,
      equalNan: true,
    });
  }
  expect(plainRuns(), `runs of ${ops.join()} on the plain kernel`).toEqual(before);
  for (const op of ops) expect(device.report().calls[op]?.device ?? 0).toBeGreaterThan(0);
}

/** The distance between float32 numbers near x. */
export function ulp(x: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
}
