import { attention, causal, deltaFormer, mix } from "@qkv/attention";
import { check, print, slider } from "@qkv/page";
import { full, tensor } from "@qkv/tensor";

const beta = slider("beta", { min: 0, max: 1, step: 0.1, value: 1 });
// Key A, key B, key A again: far enough apart that softmax reads one key only.
const key = tensor([
  [
    [
      [30, 0],
      [0, 30],
      [30, 0],
    ],
  ],
]); // [B, H, T, K]
const value = tensor([[[[5], [7], [9]]]]); // [B, H, T, V]
const inputs = { query: key, key, value, beta: full([1, 1, 3], beta) };
const { output, state } = mix(deltaFormer(), inputs);
const plain = attention(key, key, value, { mask: causal() });

const rounded = (x: typeof value) =>
  Array.from(x.data, (number) => Number(number.toFixed(2)));
print("values as they came:   ", rounded(value));
print("values as stored:      ", rounded(state.value));
print("softmax attention reads", rounded(plain));
print("DeltaFormer reads      ", rounded(output));
check(
  "the third value is stored less what its key held before: 9 − 5",
  rounded(state.value)[2] === 4,
);
