import { print, show } from "@qkv/page";
import {
  add,
  arange,
  clamp,
  greater,
  grad,
  mul,
  reshape,
  sin,
  sub,
  sum,
  tensor,
  where,
} from "@qkv/tensor";
import { lines } from "@qkv/viz";

// [2, 1] and [3] broadcast to [2, 3]: from the right, axes of length 1 repeat.
const column = tensor([[10], [20]]);
print(add(column, tensor([1, 2, 3])).toNested());
print(mul(column, 0.5).toNested());

// Comparisons give bools; where chooses from two tensors.
const x = mul(sub(arange(41), 20), 0.2); // -4 to 4
const curves = [
  sin(x),
  clamp(sin(x), { max: 0.5 }),
  where(greater(x, 0), x, 0),
];
show(
  lines(
    { data: curves.flatMap(({ data }) => [...data]), shape: [3, 41] },
    { labels: ["sin", "clamp(sin, max 0.5)", "where(x > 0, x, 0)"], x },
  ),
);

// Broadcast in the forward pass, summed in the backward pass.
const slopes = grad((c) => sum(mul(c, tensor([1, 2, 3]))))(column);
print("gradient of the column:", slopes.toNested());
if (reshape(slopes, [-1]).data.join() !== "6,6")
  throw new Error("the gradient should be 1 + 2 + 3");

try {
  add(tensor([1, 2]), tensor([1, 2, 3]));
} catch (error) {
  print(String(error));
}
