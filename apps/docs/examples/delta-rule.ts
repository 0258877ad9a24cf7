import { deltaRule, linearAttention, mix } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { full, tensor } from "@qkv/tensor";

const rate = 1; // beta: the part of the old value that is replaced
// Three tokens with one and the same key write 5, then 7, then 9; each reads that key.
const key = tensor([
  [
    [
      [1, 0],
      [1, 0],
      [1, 0],
    ],
  ],
]); // [B, H, T, K]
const value = tensor([[[[5], [7], [9]]]]); // [B, H, T, V]
const beta = full([1, 1, 3], rate); // [B, H, T]
const inputs = { query: key, key, value };

const added = mix(linearAttention(), inputs, { scale: 1 }).output;
const replaced = mix(deltaRule(), { ...inputs, beta }, { scale: 1 }).output;
print("linear attention reads", [...added.data]);
print("the delta rule reads  ", [...replaced.data]);

check(
  "each read is the value written last",
  [...replaced.data].join() === "5,7,9",
);
