import { calibrate, measure, type Machine } from "@qkv/cost";
import { linear, ones, type Tensor } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";

/** What this machine's `wasm` device does: products of rows with matrices, timed for a second or two. */
export async function measureMachine(): Promise<Machine> {
  const device = await wasm();
  // Matrices stay on the device, so larger samples go on with those of smaller ones.
  const pools = new Map<number, Tensor[]>();
  const samples = measure(({ rows, width, matrices }) => {
    const pool = pools.get(width) ?? [];
    pools.set(width, pool);
    while (pool.length < matrices) pool.push(ones([width, width]).to(device));
    const weights = pool.slice(0, matrices);
    const x = ones([rows, width]).to(device);
    return () =>
      device.scope(() => {
        for (const weight of weights) linear(x, weight);
      });
  });
  return calibrate(samples, { name: "this machine (wasm)", source: "measured just now" });
}
