import {
  dynamicNtk,
  linearScaling,
  llama3Scaling,
  longRope,
  rope,
  type RopeScaling,
  yarn,
} from "@qkv/attention";
import { print, show, slider } from "@qkv/page";
import { randn } from "@qkv/tensor";
import { lines } from "@qkv/viz";

// Ratio of the text length to the training length.
const factor = slider("times longer", { min: 1, max: 16, value: 8 });
const originalLength = 2048;
const scalings: Record<string, RopeScaling> = {
  linear: linearScaling(factor),
  "dynamic NTK": dynamicNtk({ factor, originalLength }),
  YaRN: yarn({ factor, originalLength }),
  "Llama 3": llama3Scaling({ factor, originalLength }),
};

// Slowdown of the rotation of each pair, from the fastest to the slowest.
const unscaled = {
  base: 10_000,
  rotaryDim: 64,
  length: originalLength * factor,
};
const slower = Object.values(scalings).flatMap((scaling) =>
  Array.from(
    scaling.rotaryFrequencies(unscaled).frequencies,
    (one, i) => 10_000 ** ((-2 * i) / 64) / one,
  ),
);
show(
  lines(
    { data: slower, shape: [4, 32] },
    { labels: Object.keys(scalings), xLabel: "pair", yLabel: "times slower" },
  ),
);

// Half the speed at twice the position is the same rotation.
const x = randn([1, 1, 1, 64], { seed: 1 }); // [B, H, T, D]
const at = (scaling: RopeScaling, position: number) =>
  rope({ headDim: 64, scaling }).apply(x, { start: position }).data.join();
if (
  at(linearScaling(2), 200) !==
  rope({ headDim: 64 }).apply(x, { start: 100 }).data.join()
)
  throw new Error("the rotations differ");

// A factor of 1 changes nothing, whatever the method.
const ones = Array.from({ length: 32 }, () => 1);
const none = [
  linearScaling(1),
  dynamicNtk({ factor: 1, originalLength }),
  yarn({ factor: 1, originalLength }),
  llama3Scaling({ factor: 1, originalLength }),
  longRope({
    shortFactors: ones,
    longFactors: ones,
    factor: 1,
    originalLength,
  }),
];
const plain = rope({ headDim: 64 }).apply(x, { start: 1000 }).data.join();
print(
  "methods that change nothing at a factor of 1:",
  none.filter((scaling) => at(scaling, 1000) === plain).length,
);
if (none.some((scaling) => at(scaling, 1000) !== plain))
  throw new Error("a factor of 1 changed something");
