import {
  and,
  attentionWeights,
  causal,
  documents,
  not,
  or,
  slidingWindow,
} from "@qkv/attention";
import { print, show } from "@qkv/page";
import { zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = zeros([1, 1, 10, 4]); // [B, H, T, D]: all scores are equal
const mask = and(
  causal(),
  documents([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]),
  or(slidingWindow(2), not(slidingWindow(4))),
);
print(mask.name);
show(attentionMap(attentionWeights(x, x, { mask })));

// De Morgan: what neither mask shows is what both masks hide.
const seen = (mask: ReturnType<typeof causal>) =>
  Array.from(
    attentionWeights(x, x, { mask }).data,
    (weight) => weight > 0,
  ).join();
const [a, b] = [causal(), slidingWindow({ before: 2, after: 2 })];
if (seen(not(or(a, b))) !== seen(and(not(a), not(b))))
  throw new Error("De Morgan's law does not hold");
if (seen(not(and(a, b))) !== seen(or(not(a), not(b))))
  throw new Error("De Morgan's law does not hold");
if (seen(not(not(a))) !== seen(a))
  throw new Error("not(not(mask)) differs from mask");
