import { cumsum, randn, tensor, zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { hgrn } from "./hgrn.js";
import { mix } from "./mix.js";

// Chunks, segments, documents, padding, gradients and the implied maps are tested with all mixers of the catalogue
// (every-mixer.test.ts).

test("without decay, the output is the cumulative sum", () => {
  const value = randn([2, 2, 7, 3], { seed: 1, dtype: "float64" });
  const { output } = mix(hgrn(), { value, decay: zeros([2, 2, 7, 3], { dtype: "float64" }) });
  cumsum(value, 2).data.forEach((x, i) => expect(x).toBeCloseTo(output.data[i]!, 12));
});

test("golden: three tokens of two channels, by hand", () => {
  const value = tensor([
    [
      [
        [8, 1],
        [1, 1],
        [1, 1],
      ],
    ],
  ]);
  const half = Math.log(0.5);
  const decay = tensor([
    [
      [
        [0, 0],
        [half, 0],
        [half, -Infinity],
      ],
    ],
  ]);
  const { output, state } = mix(hgrn(), { value, decay });
  expect([...output.data].map((x) => Math.round(x * 1e5) / 1e5)).toEqual([8, 1, 5, 2, 3.5, 1]);
  expect([...state.data].map((x) => Math.round(x * 1e5) / 1e5)).toEqual([3.5, 1]);
});

test("a decay per head is refused", () => {
  const decay = zeros([1, 2, 5]);
  expect(() => mix(hgrn(), { value: zeros([1, 2, 5, 3]), decay })).toThrow(
    /mix: `decay` has shape \[1, 2, 5\], expected \[1, H, 5, 3\]/,
  );
});
