import {
  attentionWeights,
  causal,
  fromTorchMHA,
  multiHead,
} from "@qkv/attention";
import { print } from "@qkv/page";
import { randn, tensor, type Tensor } from "@qkv/tensor";
import { fromTorchAttention } from "@qkv/transformer";

const query = randn([1, 2, 2, 8], { seed: 1 }); // [B, H, T, D]
const key = randn([1, 2, 4, 8], { seed: 2 }); // [B, H, S, D]
const seen = (weights: Tensor) =>
  (weights.toNested() as number[][][][])[0]![0]!.map(
    (row) => row.filter((weight) => weight > 0).length,
  );

// scaled_dot_product_attention(q, k, v, is_causal=True) aligns at the first key.
const torch = attentionWeights(query, key, {
  mask: causal({ align: "top-left" }),
});
print("keys seen, as is_causal=True:", seen(torch));
// The default here: queries are the last positions, as in decoding.
const decoding = attentionWeights(query, key, { mask: causal() });
print("keys seen, as causal():", seen(decoding));

// The state_dict() of nn.MultiheadAttention(8, 2, bias=False), batch_first.
const state = {
  in_proj_weight: randn([24, 8], { seed: 3 }),
  "out_proj.weight": randn([8, 8], { seed: 4 }),
};
// In its attn_mask, true means ignore: the opposite of everywhere else.
const ignored = tensor([
  [false, true, true],
  [false, false, true],
  [false, false, false],
]);
const layer = multiHead({
  embedDim: 8,
  numHeads: 2,
  mask: fromTorchMHA(ignored),
});
const x = randn([1, 3, 8], { seed: 5 }); // [B, T, C]
print("layer:", layer.apply(fromTorchAttention(state), x).shape);

if (String([seen(torch), seen(decoding)]) !== "1,2,3,4")
  throw new Error("the masks align otherwise");
