import {
  attention,
  attentionWeights,
  causal,
  fromTorchMHA,
  maskTensor,
} from "@qkv/attention";
import { print, show } from "@qkv/page";
import { cast, logicalNot, ones, randn, tensor, tril } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 2, 6, 4], { seed: 1 }); // [B, H, T, D]
const visible = tensor([
  [true, false, false, true, false, false],
  [true, true, false, false, true, false],
  [false, true, true, false, false, true],
  [true, false, true, true, false, false],
  [false, true, false, true, true, false],
  [false, false, false, false, false, false],
]); // [T, S]
show(
  attentionMap(attentionWeights(x, x, { mask: maskTensor(visible) }), {
    title: "true: the query sees the key",
  }),
);

// The last query sees no key, so its output is zero.
const { data } = attention(x, x, x, { mask: maskTensor(visible) });
print("last row:", data.slice(20, 24));
if (data.slice(20, 24).some((y) => y !== 0))
  throw new Error("a row without keys should give zeros");

// A lower triangle equals causal(). In PyTorch's nn.MultiheadAttention, true
// means masked.
const triangle = cast(tril(ones([6, 6])), "bool");
const by = (mask: ReturnType<typeof causal>) =>
  attention(x, x, x, { mask }).data.join();
if (by(maskTensor(triangle)) !== by(causal()))
  throw new Error("the triangle should equal causal()");
if (by(fromTorchMHA(logicalNot(triangle))) !== by(causal()))
  throw new Error("not(mask) should be the opposite");
