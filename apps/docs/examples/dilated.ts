import {
  attentionWeights,
  describe,
  dilated,
  slidingWindow,
} from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 1, 16, 8], { seed: 1 }); // [B, H, T, D]
const gap = slider("dilation, in tokens", { min: 1, max: 5, value: 3 });
const weights = attentionWeights(x, x, { mask: dilated(4, gap) });
show(attentionMap(weights));

const row = Array.from(weights.data.slice(-16));
const farthest = 15 - row.findIndex((weight) => weight > 0);
print(
  "keys of the last query:",
  row.filter((weight) => weight > 0).length,
  " reaching",
  farthest,
  "back",
);
if (farthest !== 3 * gap)
  throw new Error("the mask should reach back 3 dilations");

const extent = { queryLength: 64, keyLength: 64 };
if (
  describe(dilated(4, 1), extent).text !==
  describe(slidingWindow(4), extent).text
)
  throw new Error("a dilation of 1 should be a sliding window");
