import {
  attentionWeights,
  llama4Temperature,
  scaleByPosition,
} from "@qkv/attention";
import { print, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";

const attnScale = slider("attnScale", {
  min: 0,
  max: 2,
  step: 0.1,
  value: 0.5,
});
// One query after contexts of several lengths, and its largest weight.
const query = randn([1, 1, 1, 16], { seed: 1 });
const factor = llama4Temperature({ floorScale: 16, attnScale });
function largest(length: number, scale: (position: number) => number): number {
  const scaled = scaleByPosition(scale).apply(query, { start: length - 1 });
  const key = randn([1, 1, length, 16], { seed: 2 });
  return Math.max(...attentionWeights(scaled, key).data);
}
for (const length of [16, 256, 4096])
  print(
    "after",
    length,
    "tokens: factor",
    factor(length - 1),
    "largest weight",
    largest(length, factor),
    "without the factor",
    largest(length, () => 1),
  );

if (factor(0) !== 1)
  throw new Error("the first tokens should have the factor 1");
if (attnScale > 0 && !(largest(4096, factor) > largest(4096, () => 1)))
  throw new Error("a larger factor should sharpen the weights");
