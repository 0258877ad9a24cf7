import { attention } from "@qkv/attention";
import { growingCache, quantizedCache } from "@qkv/kv-cache";
import { print, show, slider } from "@qkv/page";
import { randn, tensor } from "@qkv/tensor";
import { denseSegment } from "@qkv/attention-contract";
import { bars } from "@qkv/viz";

const groupSize = slider("tokens per group", { min: 4, max: 64, value: 32 });
const [T, D] = [512, 32];

// Real keys have some channels that are always large: here every eighth.
const loud = randn([1, 1, T, D], { seed: 1 });
const key = tensor(
  Float32Array.from(loud.data, (x, i) => (i % 8 === 0 ? 20 + x : x)),
  { shape: [1, 1, T, D] },
);
const value = randn([1, 1, T, D], { seed: 2 });
const [exact, small] = [growingCache(), quantizedCache({ groupSize })];
const full = exact.update(0, key, value);
const held = small.update(0, key, value);

// Each number is off by at most half its scale; the last tokens are exact.
const [blocks] = held.key;
if (blocks && "scale" in blocks && blocks.scale) {
  const near = denseSegment(blocks, 1).data;
  const scales = blocks.scale.data; // [groups, 1, 1, D]
  near.forEach((y, i) => {
    const group = Math.floor(i / (D * groupSize));
    const scale = scales[group * D + (i % D)] ?? 0;
    const error = Math.abs(y - (key.data[i] ?? 0));
    if (error > 0.5001 * scale) throw new Error(`${error} at ${i}`);
  });
  print("rounded:", near.length, "of", key.data.length, "numbers of keys");
}

const query = randn([1, 1, 1, D], { seed: 3 });
const [a, b] = [full, held].map((read) => attention(query, read).data);
const off = Math.max(
  ...Array.from(a ?? [], (y, i) => Math.abs(y - (b?.[i] ?? 0))),
);
print("largest difference in the output:", off);
show(
  bars(
    { data: [exact.bytes / 1024, small.bytes / 1024], shape: [2] },
    { labels: ["float32", "int8"], unit: "KiB" },
  ),
);
