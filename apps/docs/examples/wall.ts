import { causal, plainAttention, wall } from "@qkv/attention";
import { check, print, show, slider } from "@qkv/page";
import { ones, tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const keep = slider("what channel 0 keeps of each token", {
  min: 0.1,
  max: 1,
  step: 0.1,
  value: 0.5,
});
const x = ones([1, 1, 12, 2]); // [B, H, T, D]: both channels match everywhere
const gates = Array.from({ length: 12 }, () => [Math.log(keep), 0]);
const logDecay = tensor([[gates]]); // [B, H, S, D]: channel 1 keeps everything
const { scores, weights } = plainAttention(x, x, x, {
  mask: causal(),
  scale: 1,
  forms: [wall(logDecay)],
});
show(attentionMap(weights)); // [B, H, T, S]

const last = [...scores.data.slice(11 * 12)];
print("score of the newest key:", last[11] ?? NaN);
print("score of the oldest key:", last[0] ?? NaN);
const expected = keep ** 11 + 1;
check(
  "eleven tokens back, channel 0 has faded eleven times",
  Math.abs((last[0] ?? NaN) - expected) < 1e-5,
);
