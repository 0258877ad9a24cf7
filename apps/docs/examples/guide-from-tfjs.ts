import { attention, causal } from "@qkv/attention";
import { print } from "@qkv/page";
import {
  add,
  matmul,
  mul,
  randn,
  softmax,
  tensor,
  transpose,
} from "@qkv/tensor";

const [query, key, value] = [1, 2, 3].map((seed) =>
  randn([1, 4, 6, 8], { seed }),
) as [
  ReturnType<typeof randn>,
  ReturnType<typeof randn>,
  ReturnType<typeof randn>,
];

// Line by line, as with tf.*: products, a mask of −1e9, softmax.
const maskBias = tensor(
  Array.from({ length: 36 }, (_, i) => (i % 6 > Math.floor(i / 6) ? -1e9 : 0)),
  { shape: [1, 1, 6, 6] },
);
const scores = mul(matmul(query, transpose(key, 2, 3)), 1 / Math.sqrt(8));
const before = matmul(softmax(add(scores, maskBias)), value);

// The same as one call: it never stores the [T, S] scores and never reads
// masked keys.
const after = attention(query, key, value, { mask: causal() });

const apart = Math.max(
  ...before.data.map((x, i) => Math.abs(x - after.data[i]!)),
);
print("largest difference:", apart.toExponential(1));
if (apart > 1e-6) throw new Error("the results differ");
