import { and, attention, causal, slidingWindow } from "@qkv/attention";
import { print } from "@qkv/page";
import { randn } from "@qkv/tensor";

// Queries, keys and values of your app, as [B, H, T, D]. Make one from an array
// with `tensor(array, { shape })`.
const query = randn([1, 8, 16, 32], { seed: 1 });
const key = randn([1, 2, 16, 32], { seed: 2 }); // 2 key-value heads for 8 query heads
const value = randn([1, 2, 16, 32], { seed: 3 });

const output = attention(query, key, value, {
  mask: and(causal(), slidingWindow(8)),
});
print(output.shape, Array.from(output.data.slice(0, 4)));
if (output.shape.join() !== "1,8,16,32") throw new Error("unexpected shape");
