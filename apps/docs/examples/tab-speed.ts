import { attention, causal } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { matmul, randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";
import { wasm } from "@qkv/wasm";
import { arithmeticLoop, perSecond, readLoop } from "@qkv/wasm/limits";

const device = await wasm();
const random = (...shape: number[]) => randn(shape, { seed: 1, device });
// Measure the speed inside a scope, where results stay on the device.
const speed = (work: number, compute: () => void) =>
  perSecond({ work, run: () => device.scope(compute) }, 60);

// Loops that do nothing but arithmetic, or nothing but reading: the limits.
const loop = await arithmeticLoop("mulAdd");
const fused = await arithmeticLoop("fused"); // undefined where the engine lacks it
const flops = Math.max(...[loop, fused].map((it) => (it ? perSecond(it) : 0)));
const bytes = perSecond(await readLoop(2 ** 23));

const square = random(512, 512);
const product = speed(2 * 512 ** 3, () => void matmul(square, square));

const [row, weight] = [random(1, 1024), random(1024, 2048)]; // 8 MiB of weights
const reading = speed(2 ** 23, () => void matmul(row, weight));

const [T, heads] = [512, 12];
const [query, key, value] = [1, 2, 3].map(() => random(1, heads, T, 64));
if (!query || !key || !value) throw new Error("three tensors were asked for");
const mask = causal();
const pairs = (T * (T + 1)) / 2; // a query sees itself and what came before
const mixing = speed(
  4 * 64 * heads * pairs,
  () => void attention(query, key, value, { mask }),
);

const of = (part: number, whole: number) =>
  `${Math.round((100 * part) / whole)}%`;
const giga = (rate: number) => (rate / 1e9).toFixed(1);
const ms = (rate: number) =>
  ((1000 * 4 * 64 * heads * pairs) / rate).toFixed(2);
print("matrix product:", giga(product), "of", giga(flops), "GFLOP/s");
print("reading weights:", giga(reading), "of", giga(bytes), "GB/s");
print("attention:", ms(mixing), "ms; the limit is", ms(flops), "ms");
const shares = [product / flops, reading / bytes, mixing / flops];
show(
  bars(
    { data: shares.map((share) => 100 * share), shape: [3] },
    {
      labels: ["matrix product", "row times weights", "attention"],
      title: "Percent of your device’s limit",
      unit: "%",
      max: 100,
    },
  ),
);
print("attention runs at", of(mixing, product), "of the speed of a product");
