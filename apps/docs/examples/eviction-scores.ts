import { tova } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { concat, mul, randn, slice } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const score = tova();

// Twelve tokens; the key of token 4 is twice as long as it was.
const T = 12;
const x = randn([1, 1, T, 8], { seed: 3 }); // [1, Hkv, S, D]
const part = (from: number, to: number) => slice(x, 2, from, to);
const key = concat([part(0, 4), mul(part(4, 5), 2), part(5, T)], 2);
// The last query looks for it.
const query = concat([part(0, T - 1), mul(part(4, 5), 2)], 2);
const positions = Int32Array.from({ length: T }, (_, i) => i);
const scores = score.score({ key, value: x, query, positions, newTokens: T });

const numbers = Array.from(scores.data, Number);
show(
  bars(
    { data: numbers, shape: [T] },
    {
      labels: numbers.map((_, i) => `token ${i}`),
      title: `Scores by ${score.name}`,
    },
  ),
);
const ranked = numbers
  .map((_, i) => i)
  .sort((a, b) => numbers[b]! - numbers[a]!);
print("from the highest score to the lowest:", ranked);
check("token 4 has the highest score", ranked[0] === 4);
