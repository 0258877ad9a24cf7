import { print, show } from "@qkv/page";
import {
  argmax,
  cumsum,
  logSumExp,
  max,
  mean,
  sort,
  sum,
  tensor,
  topK,
  variance,
} from "@qkv/tensor";
import { bars } from "@qkv/viz";

const x = tensor([
  [3, 1, 2],
  [9, 7, 8],
]); // [2, 3]
print(
  "sum of all:",
  sum(x).data[0],
  " of rows:",
  sum(x, { axis: 1 }).toNested(),
);
print("mean of columns:", mean(x, { axis: 0 }).toNested());
print("shape with keepDims:", max(x, { axis: 1, keepDims: true }).shape);
print("index of the largest:", argmax(x, { axis: 1 }).toNested());

const { values, indices } = topK(x, 2);
print("top 2:", values.toNested(), "at", indices.toNested());
if (
  values.data.join() !==
  sort(x, { descending: true })
    .data.filter((_, i) => i % 3 < 2)
    .join()
)
  throw new Error("topK should be the start of sort");

// Divide by n − 1, or by n.
print(
  "variance:",
  variance(x, { axis: 1 }).toNested(),
  variance(x, { axis: 1, correction: 0 }).toNested(),
);

// log Σ eˣ, although each eˣ is too large for float64.
const large = logSumExp(tensor([1000, 1000])).data[0] ?? NaN;
print("log(e^1000 + e^1000) =", large);
if (!(Math.abs(large - 1000 - Math.log(2)) <= 1e-3))
  throw new Error("the result overflowed");

const sums = cumsum(tensor([5, 3, 2, 1]), 0);
show(bars(sums, { title: "Running sums of 5, 3, 2, 1" }));
