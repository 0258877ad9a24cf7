import { attentionWeights, describe, strided } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const T = 16;
const x = zeros([1, 1, T, 8]); // [B, H, T, D]: all scores are equal
const stride = slider("stride, in tokens", { min: 1, max: 16, value: 4 });
const weights = attentionWeights(x, x, { mask: strided(stride) });
show(attentionMap(weights));

// Every earlier token can be reached in two steps, through a token that sees
// it.
const sees = (i: number, j: number) => (weights.data[i * T + j] ?? 0) > 0;
for (let i = 0; i < T; i++)
  for (let j = 0; j <= i; j++)
    if (
      !Array.from({ length: T }, (_, k) => k).some(
        (k) => sees(i, k) && sees(k, j),
      )
    )
      throw new Error(`${i} does not reach ${j}`);

const row = (stride: number) => {
  const extent = { queryLength: 1, keyLength: 1024 };
  return describe(strided(stride), extent).seen;
};
print(
  "keys of the last of 1,024 tokens: stride 8",
  row(8),
  " 32",
  row(32),
  " 128",
  row(128),
);
if (row(32) > row(8) || row(32) > row(128))
  throw new Error("a stride of √S should need the fewest keys");
