import { type Device, type Tensor } from "@qkv/tensor";
import "./allclose.js";
import { expect } from "vitest";

/** Options of {@link agree}. */
export type Agreement = {
  /** Largest distance, as a share of the largest number above 1. Default 1e-5. */
  tolerance?: number;
  /** Ops that must have run on kernels of the device, each time they ran. */
  ops?: readonly string[];
};

/** Compares `f` on a GPU with `f` on the plain device, in and out of scopes. */
export async function agree(
  device: Device,
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { tolerance = 1e-5, ops = [] }: Agreement = {},
): Promise<void> {
  const expected = f(...inputs);
  const plainRuns = () => ops.map((op) => device.report().calls[op]?.plain ?? 0);
  const before = plainRuns();
  const moved = inputs.map((x) => x.to(device));
  for (const result of [f(...moved), device.scope(() => f(...moved))]) {
    expect(result.shape).toEqual(expected.shape);
    expect(result.dtype).toBe(expected.dtype);
    expect(result.device).toBe(device);
    expect(await result.read()).toBeAllclose(expected.data, {
      rtol: 0,
      atol: tolerance,
      scaled: true,
      equalNan: true,
    });
  }
  expect(plainRuns(), `runs of ${ops.join()} on the plain kernel`).toEqual(before);
  for (const op of ops) expect(device.report().calls[op]?.device ?? 0, op).toBeGreaterThan(0);
}
