import { attention } from "@qkv/attention";
import { gpu } from "@qkv/gpu";
import { choice, print, show } from "@qkv/page";
import { matmul, randn, softmax, transpose, type Tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const T = choice("tokens", [32, 64, 128, 256, 512], { value: 128 });
const [H, D] = [4, 64];
const device = await gpu();
const { renderer } = device.report();
print(renderer ? `WebGL2 on ${renderer}` : "WebAssembly, without a GPU");
const [query, key, value, map] = [
  ...[1, 2, 3].map((seed) => randn([1, H, T, D], { seed })),
  randn([1, H, T, T], { seed: 4 }),
].map((x) => x.to(device));
if (!query || !key || !value || !map) throw new Error("four tensors");

async function ms(compute: () => Tensor) {
  let best = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    let [took, runs] = [0, 0];
    for (; took < 20; runs++) {
      await device.scope(compute).read();
      took = performance.now() - start; // a browser's clock is coarse
    }
    best = Math.min(best, took / runs);
  }
  return Number(best.toPrecision(2));
}
// Time each step of attention separately, with its result in memory.
const steps = [
  {
    name: "attention",
    took: await ms(() => attention(query, key, value)),
  },
  { name: "query · key", took: await ms(() => matmul(query, transpose(key))) },
  { name: "softmax", took: await ms(() => softmax(map)) },
  { name: "weights · value", took: await ms(() => matmul(map, value)) },
];
for (const { name, took } of steps) print(`${name}: ${took} ms`);
show(
  bars(
    { data: steps.map(({ took }) => took), shape: [steps.length] },
    {
      labels: steps.map(({ name }) => name),
      title: `${T} tokens, ${H} heads`,
      unit: "ms",
    },
  ),
);

// Bytes that move through memory. Tiles only read the inputs and write the
// output.
const scores = H * T * T * 4;
const inputs = 4 * H * T * D * 4;
// Scores are written and read twice, weights written and read.
const moved = inputs + 5 * scores;
print(
  `${(moved / 2 ** 20).toFixed(1)} MiB moved, ${(inputs / 2 ** 20).toFixed(1)} MiB with tiles:`,
  `a factor of ${(moved / inputs).toFixed(1)}`,
);
device.close();
