import { expect, test } from "vitest";
import { headGrid } from "./head-grid.js";

// Two layers of two heads over three tokens: one that looks back, one that looks at the first, and so on.
const previous = [1, 0, 0, 1, 0, 0, 0, 1, 0];
const first = [1, 0, 0, 1, 0, 0, 1, 0, 0];
const own = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const even = [1, 0, 0, 0.5, 0.5, 0, 0.34, 0.33, 0.33];
const weights = { data: [...previous, ...first, ...own, ...even], shape: [2, 2, 3, 3] };

test("the tooltip of each head names its largest weight, in the order of layers and heads", () => {
  const titles = [...headGrid(weights).matchAll(/<title>(layer[^<]*)</g)].map(([, text]) => text);
  expect(titles).toEqual([
    "layer 0, head 0: largest weight 1, from token 1 to token 0",
    "layer 0, head 1: largest weight 1, from token 1 to token 0",
    "layer 1, head 0: largest weight 1, from token 1 to token 1",
    "layer 1, head 1: largest weight 0.5, from token 1 to token 0",
  ]);
});

test("the first query counts if it sees several keys, or is the only one", () => {
  const last = (data: number[], T: number) =>
    / largest weight [^<]*/.exec(headGrid({ data, shape: [1, 1, T, 2] }))![0];
  expect(last([0.2, 0.8, 0.5, 0.5], 2)).toBe(" largest weight 0.8, from token 0 to token 1");
  expect(last([1, 0], 1)).toBe(" largest weight 1, from token 1 to token 0");
});

test("golden: heads that share keys have a line below, reviewed as a picture", async () => {
  const svg = headGrid(weights, { groupSize: 2, title: "Four heads, two of them share keys" });
  await expect(svg).toMatchFileSnapshot("../snapshots/head-grid.svg");
  expect(svg).toContain("2 neighbours share one key-value head");
});

test("weights that are not [L, H, T, S] are refused", () => {
  expect(() => headGrid({ data: [1], shape: [1, 1] })).toThrow(
    "headGrid: `weights` has shape [1, 1], expected [L, H, T, S]",
  );
});

test("28 layers of 16 heads over 128 tokens are drawn with one cell per block, and the description says so", () => {
  const [L, H, T] = [28, 16, 128];
  const data = new Float32Array(L * H * T * T);
  for (let head = 0; head < L * H; head++)
    for (let t = 0; t < T; t++) data[(head * T + t) * T + Math.max(0, t - 1)] = 1;
  const svg = headGrid({ data, shape: [L, H, T, T] });
  expect(svg).toContain("448 heads, 16 in each of 28 rows, as maps of 128 queries by 128 keys. ");
  expect(svg).toContain("A cell is the largest weight of 5 queries and 5 keys.");
  expect(svg).toContain("layer 27, head 15: largest weight 1, from token 1 to token 0");
  // A band of one key beside the diagonal: each of 26 rows of blocks has its own block, and 25 the one before.
  const [band] = /<path d="([^"]*)" fill-opacity="1"/.exec(svg)!.slice(1);
  expect(band!.match(/M/g)).toHaveLength(26 + 25);
  expect(svg.length).toBeLessThan(2e6);
});

test("cells that fit are drawn as they are", () => {
  const svg = headGrid({ data: new Float32Array(4 * 300 * 300).fill(0.5), shape: [2, 2, 300, 300] });
  expect(svg).not.toContain("A cell is");
  expect(svg.match(/M/g)!.length).toBe(4 * 300 * 300);
});

test("the selected head has a frame, and the description names it", () => {
  const svg = headGrid(weights, { selected: { layer: 1, head: 0 } });
  expect(svg).toContain("layer 1, head 0 is selected.");
  const place = (from: string) => new RegExp(`<rect ${from} (x="[^"]*" y="[^"]*")`).exec(svg)![1];
  expect(place('data-qkv-selected=""')).toBe(place('data-qkv-head="1,0"'));
  expect(headGrid(weights)).not.toContain("data-qkv-selected");
});

test.each([
  [{ layer: 2, head: 0 }, /headGrid: `selected.layer` is 2, expected an integer, 0 or more and at most 1/],
  [{ layer: 0, head: -1 }, /headGrid: `selected.head` is -1/],
  [3, /headGrid: `selected` is 3, expected a head, \{ layer, head \}/],
])("a selected head %o is refused", (selected, message) => {
  expect(() => headGrid(weights, { selected: selected as never })).toThrow(message);
});

test("more than 10,000 heads are refused", () => {
  const shape = [101, 100, 1, 1];
  expect(() => headGrid({ data: new Float32Array(10_100), shape })).toThrow(
    /headGrid: `weights` has shape \[101, 100, 1, 1\], expected 10000 heads or fewer/,
  );
});
