import { impliedWeights, rwkv6 } from "@qkv/attention";
import { check, show, slider } from "@qkv/page";
import { full, ones } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const bonus = slider("bonus u", { min: 0, max: 3, step: 0.25, value: 2 });
const one = ones([1, 1, 12, 1]); // [B, H, T, K]: all keys match equally
const weights = impliedWeights(rwkv6(), {
  query: one,
  key: one,
  value: one,
  decay: full([1, 1, 12, 1], Math.log(0.8)),
  bonus: full([1, 1], bonus), // [H, K]
});
show(attentionMap(weights)); // [B, H, T, T]

// The token itself has the weight of its bonus, the one before it 1.
const [own, before] = [weights.data[13] ?? 0, weights.data[12] ?? 0];
check(
  "a token's weight for itself is the bonus",
  own === bonus && before === 1,
);
