import { attention, softmaxOne, tracedAttention } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { full, randn, sum } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const [query, key] = [
  randn([1, 2, 6, 8], { seed: 1 }),
  randn([1, 2, 6, 8], { seed: 2 }),
];
const logit = slider("sink logit of both heads", { min: -8, max: 8, value: 1 });
const sinks = full([2], logit); // [H]
const { output, weights } = tracedAttention(query, key, key, { sinks }, [
  "weights",
]);
show(attentionMap(weights, { max: 1 }));
print("rows sum to", sum(weights, { axis: -1 }).data);

// The sink takes the share 1 − σ(lse − b) and adds no value.
const without = tracedAttention(query, key, key, {}, ["lse"]);
output.data.forEach((y, i) => {
  const lse = without.lse.data[Math.floor(i / 8)] ?? NaN;
  const expected =
    (without.output.data[i] ?? NaN) / (1 + Math.exp(logit - lse));
  if (!(Math.abs(y - expected) < 1e-5)) throw new Error("the share differs");
});

// A logit of 0 adds 1 to the softmax sum; -Infinity adds nothing.
const zero = attention(query, key, key, {
  sinks: softmaxOne().logits(undefined, query),
}).data;
if (
  zero.join() !==
  attention(query, key, key, { sinks: full([2], 0) }).data.join()
)
  throw new Error("a logit of 0 should add 1 to the softmax sum");
const never = attention(query, key, key, { sinks: full([2], -Infinity) }).data;
if (never.join() !== attention(query, key, key).data.join())
  throw new Error("a logit of −∞ should change nothing");
