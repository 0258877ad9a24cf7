import { expect, test } from "vitest";
import { headGrid } from "./head-grid.js";

// Two layers of two heads over three tokens: one that looks back, one that looks at the first, and so on.
const previous = [1, 0, 0, 1, 0, 0, 0, 1, 0];
const first = [1, 0, 0, 1, 0, 0, 1, 0, 0];
const own = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const even = [1, 0, 0, 0.5, 0.5, 0, 0.34, 0.33, 0.33];
const weights = { data: [...previous, ...first, ...own, ...even], shape: [2, 2, 3, 3] };

test("each head says where it looks most, in the order of layers and heads", () => {
  const titles = [...headGrid(weights).matchAll(/<title>(layer[^<]*)</g)].map(([, text]) => text);
  expect(titles).toEqual([
    "layer 0, head 0: largest weight 1, from token 0 to token 0",
    "layer 0, head 1: largest weight 1, from token 0 to token 0",
    "layer 1, head 0: largest weight 1, from token 0 to token 0",
    "layer 1, head 1: largest weight 1, from token 0 to token 0",
  ]);
});

test("golden: heads that share keys have a line below, reviewed as a picture", async () => {
  const svg = headGrid(weights, { groupSize: 2, title: "Four heads, two of them share keys" });
  await expect(svg).toMatchFileSnapshot("../snapshots/head-grid.svg");
  expect(svg).toContain("2 neighbours share one key-value head");
});

test("what is not [L, H, T, S] is refused", () => {
  expect(() => headGrid({ data: [1], shape: [1, 1] })).toThrow(
    "headGrid: `weights` has shape [1, 1], expected [L, H, T, S]",
  );
});
