import { attention, mergeAttention, tracedAttention } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { exp, randn, slice, sub } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const query = randn([1, 1, 1, 8], { seed: 1 }); // [B, H, T, D]: decoding one token
const [key, value] = [
  randn([1, 1, 100, 8], { seed: 2 }),
  randn([1, 1, 100, 8], { seed: 3 }),
];
const part = (start: number, end: number) =>
  tracedAttention(
    query,
    slice(key, 2, start, end),
    slice(value, 2, start, end),
    {},
    ["lse"],
  );

const cut = slider("split after", { min: 1, max: 69, value: 30 });
const ends = [0, cut, 70, 100];
const parts = ends.slice(1).map((end, i) => part(ends[i] ?? 0, end));
const { output, lse } = mergeAttention(parts);

// Each part's share of the total is e^(its lse − the total lse).
const shares = parts.map((one) => exp(sub(one.lse, lse)).data[0] ?? NaN);
const labels = ends.slice(1).map((end, i) => `${ends[i]} to ${end - 1}`);
show(
  bars(
    { data: shares, shape: [parts.length] },
    { labels, title: "Share of each part", max: 1 },
  ),
);

const whole = attention(query, key, value).data;
const apart = (y: ArrayLike<number>) =>
  Math.max(...Array.from(whole, (one, i) => Math.abs(one - (y[i] ?? NaN))));
print("merged and whole differ by", apart(output.data));
const reversed = mergeAttention(parts.toReversed()).output.data;
if (!(apart(output.data) < 1e-6) || !(apart(reversed) < 1e-6))
  throw new Error("the merged parts differ from the whole");

// Merged parts can be merged again.
const firstTwo = mergeAttention(parts.slice(0, 2));
const again = mergeAttention([firstTwo, ...parts.slice(2)]).output.data;
if (!(apart(again) < 1e-6)) throw new Error("merging in two steps differs");
