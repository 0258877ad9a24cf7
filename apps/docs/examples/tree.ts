import { attention, attentionWeights, causal, tree } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { concat, randn, slice, take, tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

// Four tokens of text, then draft tokens: two first words, and two
// continuations of the second.
const labels = ["the", "cat", "sat", "on", "a", "the ", "mat", "roof"];
const parents = [-1, -1, 1, 1];
const x = randn([1, 1, 8, 8], { seed: 1 }); // [B, H, T, D]
const mask = tree(parents);
show(
  attentionMap(attentionWeights(x, x, { mask }), {
    rowLabels: labels,
    columnLabels: labels,
  }),
);

// Check "the roof" in the tree and as the only continuation.
const inTree = slice(attention(x, x, x, { mask }), 2, 7, 8).data;
const path = take(x, 2, tensor([0, 1, 2, 3, 5, 7], { dtype: "int32" }));
const alone = slice(
  attention(path, path, path, { mask: causal() }),
  2,
  5,
  6,
).data;
const apart = Math.max(
  ...inTree.map((y, i) => Math.abs(y - (alone[i] ?? NaN))),
);
print("the results in the tree and alone differ by", apart);
check("“the roof” sees only its own branch", apart < 1e-6);

// Another branch changes nothing.
const other = concat(
  [slice(x, 2, 0, 4), randn([1, 1, 1, 8], { seed: 2 }), slice(x, 2, 5, 8)],
  2,
);
const still = slice(attention(other, other, other, { mask }), 2, 7, 8).data;
check("another branch changes nothing", still.join() === inTree.join());
