import { linear, randn, relu, resident, type Device, type Tensor } from "@qkv/tensor";

/** About the work of a short prompt (32 tokens) in a small model. */
const [rows, width, layers] = [32, 512, 8];

/** The default work for comparing devices: eight linear layers of width 512 with ReLU, on 32 rows. Weights are moved once. */
export function sampleWork(device: Device): () => Tensor {
  const weight = resident(randn([width, width], { seed: 1, device }));
  const input = resident(randn([rows, width], { seed: 2, device }));
  return () => {
    let x = input;
    for (let layer = 0; layer < layers; layer++) x = relu(linear(x, weight));
    return x;
  };
}

/** Measured runs, of which the shortest time counts. */
const runs = 3;

/** Runs the work once, which compiles its kernels, and returns a function that measures it in milliseconds. */
export async function compiledWork(
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
