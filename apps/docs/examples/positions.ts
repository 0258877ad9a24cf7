import { learnedPositions, sinusoidal } from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { matmul, transpose, zeros } from "@qkv/tensor";
import { lines } from "@qkv/viz";

const T = 32;
const C = slider("width of the model", { min: 2, max: 64, step: 2, value: 32 });
const waves = sinusoidal(T, C); // [T, C]
const wave = (n: number) =>
  Array.from({ length: T }, (_, i) => waves.data[i * C + n] ?? NaN);
const middle = 2 * Math.floor(C / 8);
const drawn = [0, middle, C - 2].flatMap(wave); // the sines of a fast, a slower and the slowest wave
show(
  lines(
    { data: drawn, shape: [3, T] },
    { labels: ["fast", "slower", "slowest"], xLabel: "position" },
  ),
);

// How alike are the vectors of two positions? Only their distance counts.
const alike = matmul(waves, transpose(waves)); // [T, T]
const from = (row: number) => alike.data.slice(row * T + row, (row + 1) * T);
show(
  lines(
    { data: from(0), shape: [T] },
    { xLabel: "distance, in tokens", yLabel: "p · p′" },
  ),
);
for (const [k, number] of from(0)
  .slice(0, T - 9)
  .entries()) {
  if (!(Math.abs(number - (from(9)[k] ?? NaN)) < 1e-4))
    throw new Error("the place mattered");
}

// A table learns its vectors instead, and ends where it ends.
const table = learnedPositions({ length: T, embedDim: C });
const params = table.init(1);
print("learned", table.apply(params, zeros([1, T, C])).shape);
try {
  table.apply(params, zeros([1, T + 1, C]));
  throw new Error("it read beyond its table");
} catch (error) {
  if (!(error instanceof Error) || !error.message.includes("Fix:")) throw error;
  print(error.message);
}
