import { attentionWeights, slidingWindow } from "@qkv/attention";
import { show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const query = randn([1, 1, 16, 8], { seed: 1 }); // [B, H, T, D]
const key = randn([1, 1, 16, 8], { seed: 2 }); // [B, Hkv, S, D]

const tokens = slider("window, in tokens", { min: 1, max: 16, value: 6 });
const mask = slidingWindow(tokens);
const weights = attentionWeights(query, key, { mask }); // [B, H, T, S]
show(attentionMap(weights, { cellSize: 20 }));
