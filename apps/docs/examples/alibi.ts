import { alibi, alibiSlopes, attentionWeights, causal } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const x = zeros([1, 4, 10, 4]); // [B, H, T, D]: all scores are equal
const weights = attentionWeights(x, x, { mask: causal(), bias: alibi(4) });
show(attentionMap(weights, { max: 1 }));
print("slopes of 4 heads:", alibiSlopes(4));
print("slopes of 6 heads:", alibiSlopes(6));

// In every head and row, a farther key gets less weight.
const { data } = weights;
for (let row = 0; row < 4 * 10; row++)
  for (let key = 1; key <= row % 10; key++)
    if (!((data[row * 10 + key] ?? 0) > (data[row * 10 + key - 1] ?? 1)))
      throw new Error("a farther key got more weight");

// One token farther divides the weight by e^slope.
const last = data.slice(90, 100);
const factor = Math.log((last[9] ?? NaN) / (last[8] ?? NaN));
print("log of the factor per token, first head:", factor);
check("it is 1/4, as in the paper", Math.abs(factor - 0.25) <= 1e-5);
