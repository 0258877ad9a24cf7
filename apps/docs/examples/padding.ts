import { attention, attentionWeights, padding } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { randn, slice, tensor, where } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([2, 1, 6, 4], { seed: 1 }); // [B, H, T, D]
const length = slider("real tokens in the second sequence", {
  min: 0,
  max: 6,
  value: 3,
});
const mask = padding([6, length]);
show(attentionMap(attentionWeights(x, x, { mask })));
const { data } = attention(x, x, x, { mask });

// Garbage in the padding, even NaN, changes nothing.
const real = Array.from({ length: 12 }, (_, i) => i < 6 + length);
const dirty = where(
  tensor(real.map(Number), { shape: [2, 1, 6, 1], dtype: "bool" }),
  x,
  NaN,
);
if (attention(x, dirty, dirty, { mask }).data.join() !== data.join())
  throw new Error("padding changed the output");
print("With NaN in the padding, the output is the same, bit for bit.");

// The short sequence gives the same output alone and in the batch.
const short = slice(slice(x, 0, 1, 2), 2, 0, length);
const alone = attention(short, short, short).data;
if (alone.join() !== data.slice(24, 24 + 4 * length).join())
  throw new Error("the output differs from that of the sequence alone");
if (length === 0 && data.slice(24).some((y) => y !== 0))
  throw new Error("a sequence without tokens should give zeros");
