import { rope, xpos } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { mul, ones, sum, type Tensor } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const D = 16;
const scaleBase = slider("scale base, in tokens", {
  min: 8,
  max: 512,
  step: 8,
  value: 64,
});
const fading = xpos({ headDim: D, scaleBase });
const rotary = rope({ headDim: D });
const x = ones([1, 1, 1, D]); // one query and one key, both all ones
const dot = (a: Tensor, b: Tensor) => sum(mul(a, b)).data[0] ?? NaN;
const at = (position: number) => ({ start: position });
const faded = (i: number, j: number) =>
  dot(fading.query.apply(x, at(i)), fading.key.apply(x, at(j)));
const rotated = (i: number, j: number) =>
  dot(rotary.apply(x, at(i)), rotary.apply(x, at(j)));

const far = 128;
const scores = [faded, rotated].flatMap((score) =>
  Array.from({ length: far }, (_, distance) => score(far, far - distance)),
);
show(
  lines(
    { data: scores, shape: [2, far] },
    {
      labels: ["xPos", "RoPE"],
      xLabel: "distance, in tokens",
      yLabel: "q · k",
    },
  ),
);

// At distance 0 nothing has faded, and only the distance matters.
print("at distance 0:", faded(5, 5), "and", rotated(5, 5));
if (!(Math.abs(faded(5, 5) - rotated(5, 5)) < 1e-4))
  throw new Error("the score should not fade at distance 0");
print("score at 60 and 20:", faded(60, 20), " at 100 and 60:", faded(100, 60));
if (!(Math.abs(faded(60, 20) - faded(100, 60)) < 1e-3))
  throw new Error("the score depends on the position");
