import { attention, tracedAttention } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { max, min, ones, permutation, randn, sum, take } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const query = randn([1, 2, 5, 8], { seed: 1 }); // [B, H, T, D]
const key = randn([1, 2, 7, 8], { seed: 2 }); // [B, Hkv, S, D]
const value = randn([1, 2, 7, 8], { seed: 3 });

const { weights, lse } = tracedAttention(query, key, value, {}, [
  "weights",
  "lse",
]);
show(attentionMap(weights));
print("rows sum to", sum(weights, { axis: -1 }).data);
print("lse", lse.shape);

// Values of 1 give outputs of 1, because weights sum to 1.
const all = attention(query, key, ones([1, 2, 7, 8])).data;
if (all.some((one) => !(Math.abs(one - 1) <= 1e-6)))
  throw new Error("the weights do not sum to 1");

// Every output lies between the smallest and the largest value.
const output = attention(query, key, value); // [B, H, T, Dv]
if (
  output.data.some(
    (y) => y > (max(value).data[0] ?? 0) || y < (min(value).data[0] ?? 0),
  )
)
  throw new Error("an output lies outside the values");

// Shuffling keys and values together changes nothing: attention ignores their
// order.
const order = permutation(7, { seed: 4 });
const shuffled = attention(query, take(key, 2, order), take(value, 2, order));
const change = Math.max(
  ...output.data.map((y, i) => Math.abs(y - (shuffled.data[i] ?? NaN))),
);
print("shuffled keys change the output by", change);
if (!(change < 1e-5)) throw new Error("the order changed the result");
