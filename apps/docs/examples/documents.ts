import {
  and,
  attention,
  attentionWeights,
  causal,
  describe,
  documents,
} from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { concat, randn, slice } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const lengths = [5, 3, 4];
const ids = lengths.flatMap((length, document) =>
  Array<number>(length).fill(document),
);
const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
const mask = and(causal(), documents(ids));
show(
  attentionMap(attentionWeights(x, x, { mask }), {
    rowLabels: ids.map(String),
    columnLabels: ids.map(String),
  }),
);

// Packed or one at a time, the results are the same, bit for bit.
const packed = attention(x, x, x, { mask });
let start = 0;
const alone = lengths.map((length) => {
  const own = slice(x, 2, start, (start += length));
  return attention(own, own, own, { mask: causal() });
});
check(
  "packed documents give the same as separate ones",
  packed.data.join() === concat(alone, 2).data.join(),
);

const long = Array.from({ length: 1024 }, (_, i) => Math.floor(i / 128));
const { tiles } = describe(and(causal(), documents(long)), {
  queryLength: 1024,
  keyLength: 1024,
});
print("1,024 tokens in 8 documents, tiles of 64 × 64:", tiles);
if (tiles.some + tiles.all !== 8 * 3)
  throw new Error("more than 3 tiles per document were read");
