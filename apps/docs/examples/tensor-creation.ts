import { print, show, slider } from "@qkv/page";
import {
  arange,
  full,
  mean,
  randn,
  tensor,
  uniform,
  variance,
  zeros,
} from "@qkv/tensor";
import { bars } from "@qkv/viz";

print(
  tensor([
    [1, 2],
    [3, 4],
  ]),
);
print(arange(4, { start: 2 }).toNested(), full([2], 7).toNested());
print(zeros([2, 3], { dtype: "int32" }).dtype);

// The same seed gives the same bits, for any shape and on any device.
const seed = slider("seed", { min: 1, max: 20, value: 1 });
const numbers = randn([4000], { seed });
print("mean:", mean(numbers).data[0], "variance:", variance(numbers).data[0]);
const same = randn([2, 3], { seed: 1 }).data;
if (same.join() !== randn([6], { seed: 1 }).data.join())
  throw new Error("the shape changed the numbers");
if (
  !uniform([100], { seed, low: 2, high: 3 }).data.every((u) => u >= 2 && u < 3)
)
  throw new Error("a number is out of range");

const counts = Array.from({ length: 13 }, () => 0);
for (const number of numbers.data) {
  const bin = Math.min(12, Math.max(0, Math.round(number * 2) + 6));
  counts[bin] = (counts[bin] ?? 0) + 1;
}
const labels = counts.map((_, i) => String((i - 6) / 2));
show(
  bars(
    { data: counts, shape: [13] },
    { title: "4,000 normal random numbers", labels },
  ),
);
