import { linear, randn, relu, resident, type Device, type Tensor } from "@qkv/tensor";

/** Rows, and the width of a layer: what a short prompt does in a small model. */
const [rows, width, layers] = [32, 512, 8];

/**
 * The work that devices are compared by: eight layers of 512 numbers for 32 tokens, and the read of the result. Weights
 * are moved once.
 */
export function sampleWork(device: Device): () => Tensor {
  const weight = resident(randn([width, width], { seed: 1, device }));
  const input = resident(randn([rows, width], { seed: 2, device }));
  return () => {
    let x = input;
    for (let layer = 0; layer < layers; layer++) x = relu(linear(x, weight));
    return x;
  };
}

/** Times that are taken; the shortest counts, after one run that compiles. */
const runs = 3;

/** Runs work once, so that what it compiles is compiled, and returns a function that times it, in milliseconds. */
export async function warmed(
  device: Device,
  work: (device: Device) => () => Tensor,
  clock: () => number,
): Promise<() => Promise<number>> {
  const run = work(device);
  await device.scope(run).read();
  return async () => {
    let shortest = Infinity;
    for (let i = 0; i < runs; i++) {
      const start = clock();
      await device.scope(run).read();
      shortest = Math.min(shortest, clock() - start);
    }
    return shortest;
  };
}
