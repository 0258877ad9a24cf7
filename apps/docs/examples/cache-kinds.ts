import {
  growingCache,
  pagedCache,
  quantizedCache,
  rollingCache,
  staticCache,
} from "@qkv/kv-cache";
import { print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const tokens = slider("tokens", { min: 16, max: 512, step: 16, value: 320 });
const caches = {
  growing: growingCache(),
  "static, 512": staticCache({ maxLength: 512 }),
  "rolling, 128": rollingCache({ windowSize: 128, keepFirst: 4 }),
  "paged, 32 of 16": pagedCache({ pages: 32 }),
  "int8, 32 floats": quantizedCache(),
};
const [Hkv, D] = [2, 32];
for (let t = 0; t < tokens; t++) {
  const x = randn([1, Hkv, 1, D], { seed: t }); // one token: [B, Hkv, 1, D]
  for (const cache of Object.values(caches)) cache.update(0, x, x);
}
const all = Object.values(caches);
const labels = Object.keys(caches);
const kilobytes = all.map(({ bytes }) => bytes / 1024);
show(
  bars(
    { data: kilobytes, shape: [all.length] },
    { labels, unit: "KiB", title: "Allocated memory" },
  ),
);
print(
  "tokens held:",
  all.map(({ stored }) => stored),
);

// Allocated bytes: Hkv · (D + Dv) · tokens · 4.
const perToken = Hkv * (D + D) * 4;
const room = [undefined, 512, 4 + 128, 32 * 16];
room.forEach((count, i) => {
  if (count !== undefined && all[i]?.bytes !== count * perToken)
    throw new Error(`${labels[i]}: ${all[i]?.bytes} bytes`);
});
const grown = all[0]?.bytes ?? 0;
if (grown < tokens * perToken || grown > 2 * tokens * perToken)
  throw new Error("growing: more than double");
