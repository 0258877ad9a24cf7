import { rope } from "@qkv/attention";
import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { proportionalRope } from "./proportional-rope.js";

test("golden: the share of fastest pairs keeps its frequencies, the others have 0; the factor divides them", () => {
  const frequencies = (options: Parameters<typeof proportionalRope>[0]) =>
    Array.from(
      proportionalRope(options).rotaryFrequencies({ base: 10000, rotaryDim: 8, length: 1 }).frequencies,
    );
  expect(frequencies({ share: 1 })).toEqual([1, 10000 ** -0.25, 10000 ** -0.5, 10000 ** -0.75]);
  expect(frequencies({ share: 0.5, factor: 2 })).toEqual([0.5, 10000 ** -0.25 / 2, 0, 0]);
  expect(frequencies({ share: 0.4 })).toEqual([1, 0, 0, 0]);
});

test("pairs span the whole head, unlike those of `rotaryDim`", () => {
  const x = randn([1, 1, 3, 8], { seed: 1 });
  const [some, all, part] = [
    rope({ headDim: 8, scaling: proportionalRope({ share: 0.5 }) }),
    rope({ headDim: 8 }),
    rope({ headDim: 8, rotaryDim: 4 }),
  ].map((rope) => Array.from(rope.apply(x, { start: 0 }).data.slice(16, 24)));
  expect([0, 1, 4, 5].map((i) => some![i])).toEqual([0, 1, 4, 5].map((i) => all![i]));
  const still = Array.from(x.data.slice(16, 24));
  expect([2, 3, 6, 7].map((i) => some![i])).toEqual([2, 3, 6, 7].map((i) => still[i]));
  expect(some).not.toEqual(part);
});
