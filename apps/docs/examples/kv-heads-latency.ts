import { attention } from "@qkv/attention";
import { formats, kvCache, readCacheLayers } from "@qkv/cost";
import { choice, print, show } from "@qkv/page";
import { js, randn, slice } from "@qkv/tensor";
import { bars } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const on = choice("device", ["wasm", "js"]);
const device = on === "wasm" ? await wasm() : js();
const [H, D] = [8, 64];
const S = choice("tokens so far", [1024, 2048, 4096, 8192], { value: 2048 });
const kvHeads = [8, 4, 2, 1];

// One new token: one query per head, and the keys and values of all tokens
// before it.
const query = randn([1, H, 1, D], { seed: 1 }).to(device);
const [keys, values] = [2, 3].map((seed) => randn([1, H, S, D], { seed }));
if (!keys || !values) throw new Error("keys and values were asked for");
const steps = kvHeads.map((Hkv) => {
  const key = slice(keys, 1, 0, Hkv).to(device); // the first heads
  const value = slice(values, 1, 0, Hkv).to(device);
  return () => device.scope(() => void attention(query, key, value));
});

// Measure the four in turn, so that other work on this device slows all of
// them; keep the shortest time. A browser's clock is coarse, so each
// measurement covers many steps.
const ms = steps.map(() => Infinity);
for (let round = 0; round < 15; round++) {
  for (const [i, step] of steps.entries()) {
    const start = performance.now();
    let took = 0;
    let runs = 0;
    for (; took < 5; runs++) {
      step();
      took = performance.now() - start;
    }
    ms[i] = Math.min(ms[i] ?? Infinity, took / runs);
  }
}

const format = formats.float32;
const megabytes = kvHeads.map((Hkv) => {
  const layer = readCacheLayers({ n_layers: 1, n_kv_heads: Hkv, head_dim: D });
  return kvCache(layer, { contextLength: S, format }).bytes / 1e6;
});
const labels = [
  "8 heads (MHA)",
  "4 heads (GQA)",
  "2 heads (GQA)",
  "1 head (MQA)",
];
show(
  bars(
    { data: megabytes, shape: [4] },
    { labels, unit: "MB", title: "Read per token, in one layer" },
  ),
);
show(
  bars(
    { data: ms.map((x) => Number(x.toPrecision(2))), shape: [4] },
    { labels, unit: "ms", title: "Measured on your device just now" },
  ),
);

// The arrow is computed: it points toward the shorter time.
const [many = NaN, , , one = NaN] = ms;
const arrow =
  one < many ? "multi-head ⟶ multi-query" : "multi-query ⟶ multi-head";
print(
  "Latency falls:",
  `${arrow},`,
  `by a factor of ${(Math.max(one, many) / Math.min(one, many)).toFixed(2)}`,
);
if (megabytes[0] !== 8 * (megabytes[3] ?? NaN))
  throw new Error("not eight times the bytes");
