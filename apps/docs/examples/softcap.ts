import { attention, tracedAttention } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { arange, ones, randn, reshape, sub } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const cap = slider("softcap", { min: 1, max: 60, value: 20 });
const query = ones([1, 1, 1, 1]); // [B, H, T, D]
const key = reshape(sub(arange(101), 50), [1, 1, 101, 1]); // dot products from -50 to 50
const { dots, capped } = tracedAttention(
  query,
  key,
  key,
  { softcap: cap, scale: 1 },
  ["dots", "capped"],
);
show(
  lines(
    { data: [...dots.data, ...capped.data], shape: [2, 101] },
    {
      labels: ["scores", "capped"],
      x: { data: dots.data, shape: [101] },
      xLabel: "scale · q · k",
    },
  ),
);
if (capped.data.some((score) => Math.abs(score) > cap))
  throw new Error("a score exceeds the cap");
if (
  capped.data.some(
    (score, i) => !(Math.abs(score + (capped.data[100 - i] ?? NaN)) <= 1e-5),
  )
)
  throw new Error("the cap should treat both signs alike");

// A cap far above the scores changes almost nothing.
const x = randn([1, 2, 6, 8], { seed: 1 });
const plain = attention(x, x, x).data;
const high = attention(x, x, x, { softcap: 10_000 }).data;
const change = Math.max(...plain.map((y, i) => Math.abs(y - (high[i] ?? NaN))));
print("a cap of 10,000 changes the output by", change);
if (!(change < 1e-5))
  throw new Error("a cap of 10,000 should change almost nothing");
