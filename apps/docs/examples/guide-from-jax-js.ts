import { attention, causal } from "@qkv/attention";
import { print } from "@qkv/page";
import {
  einsum,
  mul,
  randn,
  softmax,
  sum,
  valueAndGrad,
  type Tensor,
} from "@qkv/tensor";

// np.einsum, nn.softmax: the same operations. Nothing is owned: a tensor may be
// used again, and is collected like any object.
const [query, key, value] = [1, 2, 3].map((seed) =>
  randn([1, 4, 6, 8], { seed }),
) as [Tensor, Tensor, Tensor];
const scores = mul(einsum("bhtd,bhsd->bhts", query, key), 1 / Math.sqrt(8));
const plain = einsum("bhts,bhsd->bhtd", softmax(scores), value);
const fused = attention(query, key, value);
const apart = Math.max(
  ...plain.data.map((x, i) => Math.abs(x - fused.data[i]!)),
);
print("largest difference:", apart.toExponential(1));
if (apart > 1e-6) throw new Error("the results differ");

// valueAndGrad(f)(tree): trees are plain objects of tensors.
const loss = ({ query }: { query: Tensor }) =>
  sum(attention(query, key, value, { mask: causal() }));
const [total, gradient] = valueAndGrad(loss)({ query });
print("loss:", total.data[0]!.toFixed(3), "gradient:", gradient.query.shape);
