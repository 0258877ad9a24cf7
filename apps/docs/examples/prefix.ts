import { attention, attentionWeights, causal, prefix } from "@qkv/attention";
import { show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 1, 10, 8], { seed: 1 }); // [B, H, T, D]
const length = slider("prefix, in tokens", { min: 0, max: 10, value: 4 });
show(attentionMap(attentionWeights(x, x, { mask: prefix(length) })));

const output = (options: { mask?: ReturnType<typeof prefix> }) =>
  attention(x, x, x, options).data.join();
if (output({ mask: prefix(0) }) !== output({ mask: causal() }))
  throw new Error("an empty prefix should be causal");
if (output({ mask: prefix(10) }) !== output({}))
  throw new Error("a full prefix should show everything");
