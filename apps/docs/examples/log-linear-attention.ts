import { logLinearAttention, mix } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { broadcastTo, ones, reshape, tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const T = 16;
const levels = [1, 0.8, 0.6, 0.4, 0.2]; // a weight for the token itself, and for blocks of 1, 2, 4 and 8
const levelWeights = broadcastTo(tensor(levels), [1, 1, T, levels.length]); // [B, H, T, L]

// Every key matches equally and token j has the value e_j: the output is the map of weights.
const one = ones([1, 1, T, 1]);
const value = reshape(
  tensor(Array.from({ length: T * T }, (_, i) => (i % (T + 1) === 0 ? 1 : 0))),
  [1, 1, T, T],
);
const { output, state } = mix(logLinearAttention(), {
  query: one,
  key: one,
  value,
  decay: zeros([1, 1, T]),
  levelWeights,
});
show(attentionMap(output));

const row = Array.from(output.data.slice(13 * T, 14 * T), (weight) =>
  weight.toFixed(1),
);
print("weights of query 13:", row.slice(0, 14).join(" "));
print("states of blocks of 1, 2, 4, 8:", state.levels.shape[2]);
check(
  "13 = 8 + 4 + 1: a block of 8, one of 4, one of 1, and the token itself",
  row.slice(0, 14).join() ===
    [...Array(8).fill("0.2"), ...Array(4).fill("0.4"), "0.8", "1.0"].join(),
);
