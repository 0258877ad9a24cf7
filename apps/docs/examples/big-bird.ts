import { attentionWeights, bigBird, describe } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { zeros } from "@qkv/tensor";
import { attentionMap, bars } from "@qkv/viz";

const x = zeros([1, 1, 24, 4]); // [B, H, T, D]: all scores are equal
const seed = slider("seed", { min: 1, max: 9, value: 1 });
const options = {
  blockSize: 2,
  windowBlocks: 3,
  globalBlocks: [0],
  randomBlocks: 2,
  seed,
};
show(attentionMap(attentionWeights(x, x, { mask: bigBird(options) })));

// Global tokens see every token, and every token sees them.
const { data } = attentionWeights(x, x, { mask: bigBird(options) });
const full = (cells: ArrayLike<number>) =>
  Array.from(cells).every((weight) => weight > 0);
if (!full(data.slice(0, 24)) || !full(data.filter((_, i) => i % 24 === 0)))
  throw new Error("the first block is not global");

// Twice the text gives about twice the pairs; full attention would have four
// times as many.
const seen = [512, 1024, 2048].map((n) => {
  const mask = bigBird({
    blockSize: 64,
    windowBlocks: 3,
    globalBlocks: [0],
    randomBlocks: 2,
    seed,
  });
  return describe(mask, { queryLength: n, keyLength: n }).seen;
});
show(
  bars(
    { data: seen, shape: [3] },
    { labels: ["512 tokens", "1,024 tokens", "2,048 tokens"], unit: "pairs" },
  ),
);
const growth = (seen[2] ?? NaN) / (seen[1] ?? NaN);
print("from 1,024 to 2,048 tokens:", growth, "times the pairs");
if (!(growth < 2.3)) throw new Error("the pairs do not grow linearly");
