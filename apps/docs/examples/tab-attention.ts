import { attention, causal } from "@qkv/attention";
import { choice, print, show } from "@qkv/page";
import {
  add,
  full,
  matmul,
  mul,
  randn,
  softmax,
  transpose,
  triu,
} from "@qkv/tensor";
import { bars } from "@qkv/viz";
import { wasm } from "@qkv/wasm";
import { perSecond } from "@qkv/wasm/limits";

const T = choice("tokens", [64, 128, 256, 512, 1024], { value: 256 });
const [heads, D] = [4, 64];

// The same inputs on two devices, so that each counts its own memory.
async function inputs() {
  const device = await wasm();
  const [query, key, value] = [1, 2, 3].map((seed) =>
    randn([1, heads, T, D], { seed }).to(device),
  );
  if (!query || !key || !value) throw new Error("three tensors were asked for");
  return { device, query, key, value };
}

// Separate operations: each score is written, read, written and read again.
const one = await inputs();
const maskBias = triu(full([T, T], -1e9), 1).to(one.device);
const composed = () => {
  const dots = matmul(one.query, transpose(one.key, -2, -1)); // [B, H, T, T]
  const scores = add(mul(dots, D ** -0.5), maskBias);
  return matmul(softmax(scores), one.value);
};

// Fused, tile by tile: scores never leave the processor's cache, and masked
// tiles are skipped.
const two = await inputs();
const mask = causal();
const fused = () => attention(two.query, two.key, two.value, { mask });

const ways = [
  { name: "separate operations", device: one.device, compute: composed },
  { name: "fused", device: two.device, compute: fused },
].map(({ name, device, compute }) => {
  const before = device.memory().bytes ?? 0;
  const { data } = device.scope(compute);
  const extra = (device.memory().peakBytes ?? 0) - before;
  const run = () => device.scope(() => void compute());
  return {
    name,
    data,
    extra,
    ms: Number((1000 / perSecond({ work: 1, run })).toPrecision(2)),
  };
});
const [slow, fast] = ways;
if (!slow || !fast) throw new Error("two ways were asked for");
const same = slow.data.every(
  (y, i) => Math.abs(y - (fast.data[i] ?? NaN)) < 1e-4,
);
if (!same) throw new Error("the two results differ");
if (!(fast.extra < slow.extra))
  throw new Error("fused attention used more memory");

for (const { name, ms, extra } of ways)
  print(
    `${name}: ${ms} ms, ${Math.round(extra / 1024)} KiB in addition to the inputs`,
  );
print("all scores together take", (heads * T * T * 4) / 1024, "KiB");
print("fused attention is", (slow.ms / fast.ms).toFixed(1), "times as fast");
show(
  bars(
    { data: ways.map(({ ms }) => ms), shape: [2] },
    {
      labels: ways.map(({ name }) => name),
      title: `Attention over ${T} tokens`,
      unit: "ms",
    },
  ),
);
