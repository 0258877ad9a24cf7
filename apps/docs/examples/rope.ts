import { rope } from "@qkv/attention";
import { choice, print, show, slider } from "@qkv/page";
import { norm, randn, sum, mul, type Tensor } from "@qkv/tensor";
import { lines, ropeClock } from "@qkv/viz";

const D = 16;
const bases = [10, 100, 1000, 10_000, 100_000, 1_000_000];
const base = choice("base", bases, { value: 10_000 });
const { apply } = rope({ headDim: D, base });
const at = (x: Tensor, position: number) => apply(x, { start: position }); // [B, H, T, D]

// Each pair of numbers is a clock hand. The dot product depends on the angle
// between the query's hand and the key's.
const distance = slider("distance", { min: 0, max: 32, value: 4 });
show(ropeClock({ query: 8 + distance, key: 8 }, D, { base, maxDials: 6 }));

// Move one query and one key apart.
const [q, k] = [
  randn([1, 1, 1, D], { seed: 1 }),
  randn([1, 1, 1, D], { seed: 2 }),
];
const score = (i: number, j: number) =>
  sum(mul(at(q, i), at(k, j))).data[0] ?? NaN;
const scores = Array.from({ length: 64 }, (_, apart) =>
  score(200, 200 - apart),
);
show(
  lines(
    { data: scores, shape: [64] },
    { xLabel: "distance, in tokens", yLabel: "q · k" },
  ),
);

// Only the distance matters.
print("score at 7 and 3:", score(7, 3), " at 107 and 103:", score(107, 103));
if (!(Math.abs(score(7, 3) - score(107, 103)) <= 1e-4))
  throw new Error("the score depends on the position");

// A rotation keeps every length. At position 0 it changes nothing.
const lengths = [norm(q), norm(at(q, 1234))].map(({ data }) => data[0] ?? NaN);
print("lengths before and after:", lengths);
if (!(Math.abs((lengths[0] ?? 0) - (lengths[1] ?? 1)) <= 1e-5))
  throw new Error("the length changed");
if (at(q, 0).data.join() !== q.data.join())
  throw new Error("position 0 was rotated");
