import {
  attention,
  attentionWeights,
  causal,
  describe,
  slidingWindow,
} from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap, lines } from "@qkv/viz";

const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
const windowSize = slider("window, in tokens", { min: 1, max: 12, value: 4 });
const mask = slidingWindow(windowSize);
show(attentionMap(attentionWeights(x, x, { mask })));

// A window as long as the text is causal; a window of 1 returns the value
// itself.
const by = (mask: ReturnType<typeof causal>) =>
  attention(x, x, x, { mask }).data.join();
if (by(slidingWindow(12)) !== by(causal()))
  throw new Error("a window as long as the text should be causal");
if (by(slidingWindow(1)) !== x.data.join())
  throw new Error("a window of 1 should return the values");

// Visible pairs grow linearly with a window, and quadratically with a causal
// mask.
const lengths = [256, 512, 1024];
const seen = (mask: ReturnType<typeof causal>) =>
  lengths.map((n) => describe(mask, { queryLength: n, keyLength: n }).seen);
const counts = [seen(causal()), seen(slidingWindow(64))];
print("visible pairs:", lengths, counts);
show(
  lines(
    { data: counts.flat(), shape: [2, 3] },
    {
      x: { data: lengths, shape: [3] },
      labels: ["causal", "window of 64"],
      xLabel: "tokens",
      yLabel: "pairs",
    },
  ),
);
