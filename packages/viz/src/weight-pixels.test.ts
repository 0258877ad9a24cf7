import { expect, test } from "vitest";
import { dark, light } from "./palette.js";
import { weightPixels } from "./weight-pixels.js";

const hex = (pixels: ArrayLike<number>, i: number) =>
  `#${[0, 1, 2].map((c) => pixels[4 * i + c]!.toString(16).padStart(2, "0")).join("")}`;

test("the largest weight has the color of weights, a small one nearly that of paper, in both themes", () => {
  for (const [theme, colors] of [
    ["light", light],
    ["dark", dark],
  ] as const) {
    const { data, width, height } = weightPixels({ data: [0.5, 1e-9, 1, 1], shape: [2, 2] }, { theme });
    expect([width, height]).toEqual([2, 2]);
    expect(hex(data, 2)).toBe(colors.weight);
    expect(hex(data, 1)).toBe(colors.paper);
    expect(hex(data, 0)).not.toBe(colors.paper);
  }
});

test("masked cells have the color of hatches on a diagonal, else the background color", () => {
  const { data } = weightPixels({ data: [0, 0, 1], shape: [1, 3] });
  expect(hex(data, 0)).not.toBe(light.paper);
  expect(hex(data, 1)).toBe(light.paper);
});

test("with a mask, a visible weight of 0 has the background color, and masked cells are hatched", () => {
  const mask = { data: [true, false, true, true, false], shape: [1, 5] };
  const { data } = weightPixels({ data: [0, 0, 0, 0, 1], shape: [1, 5] }, { mask });
  expect(hex(data, 0)).toBe(light.paper);
  const { data: hidden } = weightPixels(
    { data: [0, 0, 0, 0, 1], shape: [1, 5] },
    { mask: { data: [0], shape: [1] } },
  );
  expect(hex(hidden, 0)).not.toBe(light.paper);
  expect(hex(hidden, 4)).toBe(hex(hidden, 0));
  expect(() => weightPixels({ data: [0, 1], shape: [1, 2] }, { mask })).toThrow(
    "weightPixels: `mask` has shape [1, 5]",
  );
});

test("infinite scores are refused", () => {
  expect(() => weightPixels({ data: [-Infinity], shape: [1, 1] })).toThrow(
    "weightPixels: `weights.data[0]` is -Infinity",
  );
});

test("negative weights are darkest gray at `min`, and refused without it", () => {
  const weights = { data: [1, -2], shape: [1, 2] };
  expect(hex(weightPixels(weights, { min: -2 }).data, 1)).toBe(light.cost);
  expect(() => weightPixels(weights)).toThrow("`weights.data[1]` is -2, expected a weight of 0 or more");
});
