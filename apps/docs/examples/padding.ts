import { attention, attentionWeights, padding } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { randn, slice, tensor, where } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = randn([2, 1, 6, 4], { seed: 1 }); // [B, H, T, D]
const mask = padding([6, 3]); // the second sequence has three real tokens
show(attentionMap(attentionWeights(x, x, { mask })));

// Garbage in the padding, even NaN, changes nothing.
const real = tensor(
  [
    [1, 1, 1, 1, 1, 1],
    [1, 1, 1, 0, 0, 0],
  ].map((row) => row.map((one) => [one === 1])),
  { shape: [2, 1, 6, 1] },
);
const dirty = where(real, x, NaN);
const clean = attention(x, x, x, { mask }).data;
const same = attention(x, dirty, dirty, { mask }).data;
if (clean.join() !== same.join()) throw new Error("padding leaked");

// And the short sequence alone gives what it gives in the batch.
const short = slice(slice(x, 0, 1, 2), 2, 0, 3);
const alone = attention(short, short, short).data;
if (alone.join() !== clean.slice(24, 36).join())
  throw new Error("differs from alone");
print("NaN in the padding: the same output, bit for bit");
