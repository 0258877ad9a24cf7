import { print, show } from "@qkv/page";
import {
  count,
  einsum,
  linear,
  matmul,
  outer,
  randn,
  tensor,
  transpose,
} from "@qkv/tensor";
import { bars } from "@qkv/viz";

const query = randn([2, 4, 5, 8], { seed: 1 }); // [B, H, T, D]
const key = randn([2, 4, 6, 8], { seed: 2 }); // [B, H, S, D]

// Attention scores, with and without a transpose.
const withTranspose = matmul(query, transpose(key)); // [B, H, T, S]
const scores = einsum("bhtd,bhsd->bhts", query, key);
print(scores.shape);
if (scores.data.some((score, i) => score !== withTranspose.data[i]))
  throw new Error("the scores differ");

print(
  "trace:",
  einsum(
    "ii->",
    tensor([
      [1, 2],
      [3, 4],
    ]),
  ).data[0],
);
print("outer:", outer(tensor([1, 2]), tensor([3, 4, 5])).toNested());
print("linear:", linear(tensor([[1, 2]]), tensor([[3, 4]])).toNested());

// With three factors, einsum chooses the cheapest order; a chain of matmul does
// not.
const [a, b, c] = [
  randn([2, 100], { seed: 3 }),
  randn([100, 100], { seed: 4 }),
  randn([100, 1], { seed: 5 }),
];
const work = [
  count(() => matmul(a, matmul(b, c))).flops,
  count(() => matmul(matmul(a, b), c)).flops,
  count(() => einsum("ij,jk,kl->il", a, b, c)).flops,
];
show(
  bars(
    { data: work, shape: [3] },
    { labels: ["a(bc)", "(ab)c", "einsum"], unit: "operations" },
  ),
);
if ((work[2] ?? Infinity) > Math.min(work[0] ?? 0, work[1] ?? 0))
  throw new Error("einsum should choose the cheaper order");
