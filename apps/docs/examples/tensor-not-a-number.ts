import { attention, causal } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { div, max, randn, softmax, sort, tensor } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const x = tensor([1, NaN, -Infinity, 2]);
print("divided by 0:", div(tensor([1, -1, 0]), 0).toNested());
print("largest:", max(x).toNested(), " sorted:", sort(x).toNested());
print("softmax of 1, −∞, 2:", softmax(tensor([1, -Infinity, 2])).toNested());

// The last of six keys is NaN. Only the last query may see it.
const [T, D] = [6, 4];
const [query, key, value] = [1, 2, 3].map((seed) =>
  randn([1, 1, T, D], { seed }),
);
if (!query || !key || !value) throw new Error("three tensors");
const damaged = tensor(
  key.data.map((number, i) => (i < (T - 1) * D ? number : NaN)),
  { shape: [1, 1, T, D] },
);
const output = attention(query, damaged, value, { mask: causal() }).data;
const rows = Array.from({ length: T }, (_, row) =>
  output.subarray(row * D, (row + 1) * D).some(Number.isNaN),
);
print("rows with NaN:", rows);
if (rows.join() !== "false,false,false,false,false,true")
  throw new Error("a masked key was read");

const seen = Array.from({ length: T - 1 }, (_, row) => output[row * D] ?? NaN);
show(
  bars(tensor(seen), {
    title: "First number of each row that does not see the NaN",
  }),
);
