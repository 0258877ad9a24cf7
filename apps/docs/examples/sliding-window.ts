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

// A window as long as the text is causal; a window of 1 hands over the value itself.
const by = (mask: ReturnType<typeof causal>) =>
  attention(x, x, x, { mask }).data.join();
if (by(slidingWindow(12)) !== by(causal())) throw new Error("not causal");
if (by(slidingWindow(1)) !== x.data.join()) throw new Error("not the values");

// Pairs seen: a window's grow with the text, causal's with its square.
const lengths = [256, 512, 1024];
const seen = (mask: ReturnType<typeof causal>) =>
  lengths.map((n) => describe(mask, { queryLength: n, keyLength: n }).seen);
const counts = [seen(causal()), seen(slidingWindow(64))];
print("pairs seen", lengths, counts);
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
