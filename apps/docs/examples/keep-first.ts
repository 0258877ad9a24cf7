import {
  and,
  attention,
  attentionWeights,
  causal,
  describe,
  keepFirst,
  or,
  slidingWindow,
} from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const kept = slider("first tokens to keep", { min: 0, max: 6, value: 2 });
const streaming = (count: number) =>
  and(causal(), or(keepFirst(count), slidingWindow(4)));

const x = randn([1, 1, 14, 8], { seed: 1 }); // [B, H, T, D]
show(attentionMap(attentionWeights(x, x, { mask: streaming(kept) })));

// Keeping none leaves the window; keeping enough shows everything.
const by = (mask: ReturnType<typeof causal>) =>
  attention(x, x, x, { mask }).data.join();
if (by(streaming(0)) !== by(slidingWindow(4)))
  throw new Error("keeping no token should leave the window");
if (by(streaming(10)) !== by(causal()))
  throw new Error("keeping enough tokens should show everything");

const { text } = describe(streaming(2), { queryLength: 16, keyLength: 16 });
print(text);
