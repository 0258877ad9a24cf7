import { type Device, type Tensor } from "@qkv/tensor";
import { expect } from "vitest";

/** For tests: what `f` gives on a GPU is what it gives on the plain device, in and out of scopes. */
export type Agreement = {
  /** Largest distance, as a share of the largest number above 1. Default 1e-5. */
  tolerance?: number;
  /** Ops that must have run on kernels of the device, each time they ran. */
  ops?: readonly string[];
};

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
    close(await result.read(), expected.data, tolerance);
  }
  expect(plainRuns(), `runs of ${ops.join()} on the plain kernel`).toEqual(before);
  for (const op of ops) expect(device.report().calls[op]?.device ?? 0, op).toBeGreaterThan(0);
}

/** Refuses numbers that are further apart than a share of the largest, and names the worst. */
export function close(a: ArrayLike<number>, b: ArrayLike<number>, tolerance: number): void {
  expect(a.length).toBe(b.length);
  let [largest, worst, where] = [1, 0, 0];
  for (let i = 0; i < b.length; i++) if (Number.isFinite(b[i])) largest = Math.max(largest, Math.abs(b[i]!));
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const distance = Math.abs(a[i]! - b[i]!) / largest;
    if (distance <= worst) continue;
    [worst, where] = [distance, i];
    if (Number.isNaN(distance)) break;
  }
  expect(worst, `[${where}]: ${a[where]} and ${b[where]}`).toBeLessThanOrEqual(tolerance);
}
