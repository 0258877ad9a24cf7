import { print } from "@qkv/page";
import {
  arange,
  concat,
  flip,
  gather,
  pad,
  permute,
  repeat,
  reshape,
  roll,
  slice,
  split,
  take,
  tensor,
  tile,
} from "@qkv/tensor";

const x = reshape(arange(6), [2, 3]);
print("x:", x.toNested());
print("permute:", permute(x, [1, 0]).toNested());
print("slice:", slice(x, 1, 1, 3).toNested());
print("pad:", pad(x, 0, 1, 0).toNested());
print("roll:", roll(x, 1, 1).toNested(), " flip:", flip(x, 1).toNested());

// Check which of them are views of the same numbers.
for (const [name, y] of Object.entries({
  reshape: reshape(x, [3, 2]),
  permute: permute(x, [1, 0]),
  slice: slice(x, 1, 0, 2),
  flip: flip(x, 1),
}))
  print(name.padEnd(8), y.storage === x.storage ? "view" : "copy");
if (permute(x, [1, 0]).storage !== x.storage)
  throw new Error("permute should not copy");

// Grouped queries need each head repeated next to itself (repeat), not the
// whole list repeated (tile).
const heads = tensor([1, 2]);
print(
  "repeat:",
  repeat(heads, 2, 0).toNested(),
  "tile:",
  tile(heads, [2]).toNested(),
);

// take: whole slices by index. gather: one number per index.
const ids = tensor([1, 0, 1], { dtype: "int32" });
print("take:", take(x, 0, ids).toNested());
print(
  "gather:",
  gather(x, 1, tensor([[2], [0]], { dtype: "int32" })).toNested(),
);

const back = concat(split(x, [1, 2], 1), 1);
if (back.data.join() !== x.data.join())
  throw new Error("concat should undo split");
