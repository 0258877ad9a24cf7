import { gdn2, mix } from "@qkv/attention";
import { check, print } from "@qkv/page";
import { ones, tensor, zeros } from "@qkv/tensor";

const erased = 1; // the part of the old value that the second token erases
const written = 0.5; // the part of the new value that it writes
const key = ones([1, 1, 2, 1]); // [B, H, T, K]: the same key twice
const { output } = mix(gdn2(), {
  query: key,
  key,
  value: tensor([[[[8], [4]]]]),
  decay: zeros([1, 1, 2, 1]),
  erase: tensor([[[[1], [erased]]]]),
  write: tensor([[[[1], [written]]]]),
});
print("reads after each token:", [...output.data]);
check("the old value is gone", output.data[1] === 4 * written);
