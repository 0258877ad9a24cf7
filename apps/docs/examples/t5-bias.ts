import { attention, t5Bias, tracedAttention } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { arange, randn, reshape, zeros } from "@qkv/tensor";
import { lines } from "@qkv/viz";

// A table that contains its row numbers shows the bucket of each distance.
const numbers = reshape(arange(32), [32, 1]); // [numBuckets, H]
const x = zeros([1, 1, 301, 4]); // [B, H, T, D]
const { scores } = tracedAttention(x, x, x, { bias: t5Bias(numbers) }, [
  "scores",
]);
const middle = scores.data.slice(150 * 301, 151 * 301); // the query at 150
const distances = Array.from({ length: 301 }, (_, key) => key - 150);
show(
  lines(
    { data: middle, shape: [301] },
    {
      x: { data: distances, shape: [301] },
      xLabel: "key − query",
      yLabel: "bucket",
    },
  ),
);
print(
  "buckets for 0, 1, 2 … 20 tokens back:",
  Array.from({ length: 21 }, (_, back) => middle[150 - back]),
);
if (middle[0] !== middle[150 - 128])
  throw new Error("distances beyond 128 should share a bucket");

// Each diagonal has one number, and a table of zeros is no bias.
if (scores.data[0] !== scores.data[302])
  throw new Error("the bias depends on the position");
const y = randn([1, 2, 6, 4], { seed: 1 });
const none = attention(y, y, y, { bias: t5Bias(zeros([32, 2])) }).data.join();
if (none !== attention(y, y, y).data.join())
  throw new Error("a table of zeros should change nothing");
