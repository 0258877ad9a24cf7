import { attention, attentionWeights, causal } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { concat, randn, slice } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([1, 1, 8, 4], { seed: 1 }); // [B, H, T, D]
const mask = causal();
show(
  attentionMap(attentionWeights(x, x, { mask }), {
    title: "8 queries, 8 keys",
  }),
);

// Decoding: only the last query, over all keys.
const last = slice(x, 2, 7, 8); // [1, 1, 1, 4]
const step = attention(last, x, x, { mask }).data;
const full = attention(x, x, x, { mask }).data.slice(-4);
print("last row, reading the whole text:", full);
print("last row, decoding one token:", step);
if (step.join() !== full.join()) throw new Error("decoding differs");

// With the other alignment, the same call sees only the first key.
const wrong = attentionWeights(last, x, {
  mask: causal({ align: "top-left" }),
});
show(attentionMap(wrong, { title: "One query, aligned top-left" }));
if (wrong.data[0] !== 1)
  throw new Error("top-left should see only the first key");

// Change the last token: the earlier rows stay the same.
const other = concat([slice(x, 2, 0, 5), randn([1, 1, 3, 4], { seed: 2 })], 2);
const past = (y: typeof x) => attention(y, y, y, { mask }).data.slice(0, 20);
if (past(x).join() !== past(other).join())
  throw new Error("a later token changed an earlier row");
