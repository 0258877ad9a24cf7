import {
  attention,
  attentionWeights,
  causal,
  memoryKeys,
} from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { broadcastTo, concat, full, ones, randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const logit = slider("score of the memory keys", { min: -6, max: 6, value: 1 });
const M = 2;
const query = ones([1, 1, 5, 4]); // [B, H, T, D]
const key = randn([1, 1, 5, 4], { seed: 1 });
const learned = { key: full([1, M, 4], logit / 2), value: ones([1, M, 4]) };
const own = { key: [key], value: [key], positions: { start: 0 } };
const read = memoryKeys(M).prepend(learned, own, 1);

const all = concat([broadcastTo(learned.key, [1, 1, M, 4]), key], 2);
const weights = attentionWeights(query, all, { mask: causal() });
show(
  attentionMap(weights, { title: "Two memory keys, then five tokens", max: 1 }),
);
const share = (weights.data[4 * (M + 5)] ?? 0) * M;
print("the last token gives its memory", share);

const output = attention(query, read, { mask: causal() });
if (output.shape.join() !== "1,1,5,4")
  throw new Error("memory keys should add no tokens");
const far = { ...learned, key: full([1, M, 4], -1e30) };
const none = attention(query, memoryKeys(M).prepend(far, own, 1), {
  mask: causal(),
}).data;
const plain = attention(query, key, key, { mask: causal() }).data;
if (!none.every((y, i) => Math.abs(y - (plain[i] ?? NaN)) < 1e-6))
  throw new Error("memory keys of score −∞ should change nothing");
