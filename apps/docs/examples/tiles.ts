import {
  and,
  attention,
  causal,
  describe,
  plainAttention,
  slidingWindow,
} from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";

// Softmax of one row, in tiles: keep the largest score, the sum and the output
// so far.
const scores = Array.from(randn([40], { seed: 1 }).data, (score) => 5 * score);
const values = randn([40], { seed: 2 }).data;
const tile = slider("keys per tile", { min: 1, max: 40, value: 16 });
let [top, total, output] = [-Infinity, 0, 0];
for (let start = 0; start < 40; start += tile) {
  const own = scores.slice(start, start + tile);
  const next = Math.max(top, ...own);
  const shrink = Math.exp(top - next); // rescale the sum so far to the new largest score
  [top, total, output] = [next, total * shrink, output * shrink];
  own.forEach((score, i) => {
    total += Math.exp(score - top);
    output += Math.exp(score - top) * (values[start + i] ?? 0);
  });
}
const powers = scores.map((score) => Math.exp(score));
const sum = powers.reduce((a, b) => a + b);
const whole = powers.reduce(
  (y, power, i) => y + (power / sum) * (values[i] ?? 0),
  0,
);
print("in tiles:", output / total, " whole row:", whole);
check(
  "the tiles agree with the whole row",
  Math.abs(output / total - whole) <= 1e-12,
);

// attention() works in tiles like this; plainAttention() stores all scores.
const x = randn([1, 2, 150, 8], { seed: 3 }); // [B, H, T, D]
const mask = and(causal(), slidingWindow(100));
const tiled = attention(x, x, x, { mask }).data;
const plain = plainAttention(
  x,
  { key: [x], value: [x], positions: { start: 0 } },
  { mask },
).output.data;
const apart = Math.max(...tiled.map((y, i) => Math.abs(y - (plain[i] ?? NaN))));
print("tiled and plain attention differ by", apart);
if (!(apart < 1e-5)) throw new Error("tiled and plain attention differ");

const { tiles } = describe(slidingWindow(256), {
  queryLength: 1024,
  keyLength: 1024,
});
show(
  bars(
    { data: [tiles.none, tiles.some, tiles.all], shape: [3] },
    {
      labels: ["never read", "tested per pair", "fully visible"],
      title: "Tiles of a window of 256 over 1,024 tokens",
    },
  ),
);
