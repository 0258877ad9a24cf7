import {
  attention,
  groupedQuery,
  multiHead,
  multiQuery,
  toGroupedQuery,
} from "@qkv/attention";
import { choice, print, show } from "@qkv/page";
import { randn, repeat, tile } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const [H, D] = [8, 16];
const numKvHeads = choice("key-value heads", [1, 2, 4, 8], { value: 2 });
const query = randn([1, H, 6, D], { seed: 1 }); // [B, H, T, D]
const [key, value] = [
  randn([1, numKvHeads, 6, D], { seed: 2 }),
  randn([1, numKvHeads, 6, D], { seed: 3 }),
];

// Sharing equals repeating without copies: adjacent heads share.
const shared = attention(query, key, value).data.join();
const copies = H / numKvHeads;
if (
  shared !==
  attention(query, repeat(key, copies, 1), repeat(value, copies, 1)).data.join()
)
  throw new Error("sharing differs from repeated heads");
const times = [1, copies, 1, 1];
const dealt = attention(
  query,
  tile(key, times),
  tile(value, times),
).data.join();
print("assigning heads in turn gives the same:", dealt === shared);
if (1 < numKvHeads && numKvHeads < H && dealt === shared)
  throw new Error("tile should give a different result");

const perToken = [8, 4, 2, 1].map((heads) => 2 * heads * D * 2);
const labels = [
  "8 heads (MHA)",
  "4 heads (GQA)",
  "2 heads (GQA)",
  "1 head (MQA)",
];
show(
  bars(
    { data: perToken, shape: [4] },
    {
      title: "KV cache per token and layer, in float16",
      labels,
      unit: "bytes",
    },
  ),
);

// 8 heads are multi-head attention, and 1 is multi-query attention.
const config = { embedDim: H * D, numHeads: H };
const x = randn([1, 3, H * D], { seed: 4 });
const [many, one] = [multiHead(config), multiQuery(config)];
const same = (a: typeof many, b: typeof many) =>
  a.apply(a.init(1), x).data.join() === b.apply(a.init(1), x).data.join();
if (!same(many, groupedQuery({ ...config, numKvHeads: H })))
  throw new Error("8 key-value heads should be multi-head attention");
if (!same(one, groupedQuery({ ...config, numKvHeads: 1 })))
  throw new Error("1 key-value head should be multi-query attention");
print(
  "from 8 heads to 2:",
  toGroupedQuery(many.init(1), { numHeads: H, numKvHeads: 2 }).key.weight.shape,
);
