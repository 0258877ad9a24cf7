import fc from "fast-check";
import { expect, test } from "vitest";
import { ArgumentError, ShapeError } from "@qkv/core";
import { attentionMap } from "./attention-map.js";
import { tableOf } from "./table-of.js";

/** Text and ink of the picture: the text of each cell, in order, and how much ink it has. */
function cells(svg: string): { text: string; ink: number | "hatched" }[] {
  return [...svg.matchAll(/class="qkv-(cell|masked)[^"]*"([^>]*)><title>(.*?)<\/title>/g)].map((match) => ({
    text: match[3] ?? "",
    ink: match[1] === "masked" ? "hatched" : Number(/fill-opacity="(.*?)"/.exec(match[2] ?? "")?.[1]),
  }));
}

const axis = fc.integer({ min: 1, max: 4 });
const map = fc.tuple(axis, axis, axis, axis).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    data: fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1, noNaN: true })), {
      minLength: shape.reduce((a, b) => a * b),
      maxLength: shape.reduce((a, b) => a * b),
    }),
  }),
);

test("property: every weight has one cell, in order, hatched exactly where it is 0, its ink in proportion", () => {
  fc.assert(
    fc.property(map, ({ data, shape }) => {
      const drawn = cells(attentionMap({ data, shape }));
      const largest = Math.max(...data);
      expect(drawn.length).toBe(data.length);
      drawn.forEach(({ text, ink }, i) => {
        const [T, S] = [shape[2], shape[3]];
        expect(text).toContain(`query ${Math.floor(i / S) % T}, key ${i % S}: `);
        if (data[i] === 0) expect(ink).toBe("hatched");
        else {
          expect(ink).toBeCloseTo(data[i]! / largest, 3);
          expect(Number(text.split(": ")[1])).toBeCloseTo(data[i]!, 3);
        }
      });
    }),
  );
});

test("property: a mask that broadcasts hatches what the mask of the full shape hatches", () => {
  fc.assert(
    fc.property(
      map,
      fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
      fc.infiniteStream(fc.boolean()),
      (weights, kept, bits) => {
        const shape = weights.shape.map((size, axis) => (kept[axis] ? size : 1));
        const mask = { shape, data: [...bits.take(shape.reduce((a, b) => a * b))] };
        const [, H, T, S] = weights.shape;
        const full = weights.data.map((_, i) => {
          const at = [Math.floor(i / (H * T * S)), Math.floor(i / (T * S)) % H, Math.floor(i / S) % T, i % S];
          return mask.data[
            at.reduce((sum, index, axis) => sum * shape[axis]! + (kept[axis] ? index : 0), 0)
          ]!;
        });
        const drawn = cells(attentionMap(weights, { mask }));
        expect(drawn.map(({ ink }) => ink !== "hatched")).toEqual(full);
      },
    ),
  );
});

test("a mask with fewer axes than the weights broadcasts over queries", () => {
  const drawn = cells(
    attentionMap(
      { data: [1, 1, 1, 1, 1, 1], shape: [1, 1, 2, 3] },
      { mask: { data: [1, 0, 0], shape: [3] } },
    ),
  );
  expect(drawn.map(({ ink }) => ink === "hatched")).toEqual([false, true, true, false, true, true]);
});

test("heads of a batch are side by side, batches below each other", () => {
  const svg = attentionMap({ data: [1, 1, 1, 1, 1, 1], shape: [2, 3, 1, 1] });
  expect(svg.match(/(?<=>)batch \d, head \d(?=<)/g)).toEqual(
    [0, 1].flatMap((b) => [0, 1, 2].map((h) => `batch ${b}, head ${h}`)),
  );
});

test("negative weights are gray, darkest at `min`, with a minus and an entry in the legend", () => {
  const svg = attentionMap({ data: [1, 0.5, -0.25, -2], shape: [2, 2] }, { min: -1 });
  expect(cells(svg).map(({ ink }) => ink)).toEqual([1, 0.5, 0.25, 1]);
  expect(svg.match(/qkv-cell qkv-fill-cost/g)).toHaveLength(2);
  const minuses = /<path d="([^"]*)" pointer-events="none" class="qkv-line-text"/.exec(svg)?.[1];
  expect(minuses?.match(/M/g)).toHaveLength(2);
  expect(svg).toContain("query 1, key 0: -0.25");
  expect(svg).toMatch(/qkv-fill-quiet"[^>]*>-1</);
});

test("with a mask, a visible weight of 0 has the background color, and a masked weight other than 0 has its number", () => {
  const weights = { data: [0, 1], shape: [1, 2] };
  const drawn = cells(attentionMap(weights, { mask: { data: [true, false], shape: [1, 2] } }));
  expect(drawn).toEqual([
    { text: "query 0, key 0: 0", ink: 0 },
    { text: "query 0, key 1: masked, yet 1", ink: "hatched" },
  ]);
});

test("evicted tokens are hatched, head by head, with a mask of the kept tokens of a cache", () => {
  // Steps by positions; the second head evicts position 0 before step 2.
  const shape = [1, 2, 3, 3];
  const weights = { data: [1, 0, 0, 0.5, 0.5, 0, 0.25, 0.5, 0.25, 1, 0, 0, 0.5, 0.5, 0, 0, 0.5, 0.5], shape };
  const kept = { data: [1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1], shape };
  const drawn = cells(attentionMap(weights, { mask: kept }));
  expect(drawn).toHaveLength(18);
  expect([drawn[6], drawn[15]]).toEqual([
    { text: "query 2, key 0: 0.25", ink: 0.25 },
    { text: "query 2, key 0: masked", ink: "hatched" },
  ]);
});

test("`max` gives several pictures one scale", () => {
  const ink = (weight: number) => cells(attentionMap({ data: [weight], shape: [1, 1] }, { max: 1 }))[0]?.ink;
  expect([ink(0.25), ink(1), ink(2)]).toEqual([0.25, 1, 1]);
});

test("labels and title are text, never markup", () => {
  const svg = attentionMap(
    { data: [1], shape: [1, 1] },
    { rowLabels: ["<script>"], columnLabels: ['a"b&c\u0000'], title: "x</title><script>" },
  );
  expect(svg).not.toContain("<script>");
  expect(svg).toContain("&lt;script&gt;");
  expect(svg).toContain("a&quot;b&amp;c\ufffd");
});

test("the description names the size, the masked cells and the largest weight", () => {
  const svg = attentionMap({ data: [1, 0, 0.25, 0.75], shape: [2, 2] }, { rowLabels: ["the", "cat"] });
  expect(/<desc>(.*)<\/desc>/.exec(svg)?.[1]).toBe(
    "A heat map of 2 queries (rows) by 2 keys (columns). 1 of 4 cells are masked. The largest weight is 1, of query “the”, key 0.",
  );
});

test("golden: two heads of three tokens, reviewed as a picture", async () => {
  const labels = ["one", "two", "three"];
  const weights = {
    data: [1, 0, 0, 0.25, 0.75, 0, 0.2, 0.3, 0.5, 1, 0, 0, 0.5, 0.5, 0, 0, 0.1, 0.9],
    shape: [1, 2, 3, 3],
  };
  const svg = attentionMap(weights, {
    rowLabels: labels,
    columnLabels: labels,
    title: "Two heads",
    cellSize: 30,
  });
  await expect(svg).toMatchFileSnapshot("../snapshots/attention-map.svg");
});

test.each([
  [
    { data: [1, 2], shape: [2] },
    {},
    "attentionMap: `weights` has shape [2], expected [T, S] or [B, H, T, S]",
  ],
  [{ data: [], shape: [0, 3] }, {}, "attentionMap: `weights` has shape [0, 3], expected [T, S]"],
  [{ data: [1], shape: [2, 2] }, {}, '`weights.data` is "1 numbers", expected 4, as the shape [2, 2] says'],
  [{ data: [1, NaN], shape: [1, 2] }, {}, "`weights.data[1]` is NaN, expected a finite number"],
  [{ data: [1, -2], shape: [1, 2] }, {}, "`weights.data[1]` is -2, expected a weight of 0 or more"],
  [{ data: [1, -2], shape: [1, 2] }, { min: 0 }, "`min` is 0, expected a number below 0"],
  [{ data: [1], shape: [1, 1] }, { rowLabels: ["a", "b"] }, '`rowLabels` is "2 labels", expected 1'],
  [{ data: [1], shape: [1, 1] }, { columnLabels: [] }, '`columnLabels` is "0 labels", expected 1'],
  [{ data: [1], shape: [1, 1] }, { max: 0 }, "`max` is 0, expected a number above 0"],
  [{ data: [1], shape: [1, 1] }, { cellSize: -1 }, "`cellSize` is -1, expected a number above 0"],
  [
    { data: [1, 0], shape: [1, 2] },
    { mask: { data: [1, 0, 1], shape: [1, 3] } },
    "`mask` has shape [1, 3], expected",
  ],
  [
    { data: [1, 0], shape: [1, 2] },
    { mask: { data: [1], shape: [1, 2] } },
    "`mask` has shape [1, 2], expected",
  ],
  [{ data: new Float32Array(400 * 400), shape: [400, 400] }, {}, "expected 100000 cells or fewer"],
  [undefined as never, {}, "`weights` is undefined, expected an object { data, shape }"],
])("%j with %j is refused", (weights, options, message) => {
  expect(() => attentionMap(weights, options)).toThrow(message);
});

test("with scores, each visible weight has its formula, in the order of the cells", () => {
  const scores = { data: [2, -Infinity, 1, 2.1], shape: [2, 2] };
  const e = Math.exp(1 - 2.1);
  const weights = { data: [1, 0, e / (1 + e), 1 / (1 + e)], shape: [2, 2] };
  const drawn = attentionMap(weights, { scores });
  const formulas = [...drawn.matchAll(/<\/title><desc>([^<]*)<\/desc><\/rect>/g)].map(([, text]) => text);
  expect(formulas).toEqual([
    "e^(2 − 2) / 1, the softmax of its row",
    "e^(1 − 2.1) / 1.33, the softmax of its row",
    "e^(2.1 − 2.1) / 1.33, the softmax of its row",
  ]);
  const negative = { data: [-3, -2], shape: [1, 2] };
  const small = { data: [1 / (1 + Math.E), Math.E / (1 + Math.E)], shape: [1, 2] };
  expect(attentionMap(small, { scores: negative })).toContain("e^(−3 + 2) / 1.37");
  expect(tableOf(drawn).description).toContain("A heat map of 2 queries");
  expect(tableOf(drawn).rows).toHaveLength(4);
});

test.each([
  [
    { data: [1, 2], shape: [2] },
    ShapeError,
    /`scores` has shape \[2\], expected the shape of the weights, \[2, 2\]/,
  ],
  [{ data: [1, 2, 3], shape: [2, 2] }, ShapeError, /`scores`/],
  [
    { data: [0, 0, 0, 0], shape: [2, 2] },
    ArgumentError,
    /`scores.data\[0\]` is 0, expected a score whose softmax is the weight 1/,
  ],
  [{ data: [NaN, 0, 0, 0], shape: [2, 2] }, ArgumentError, /`scores.data\[0\]` is NaN/],
  [7, ArgumentError, /`scores/],
])("scores of another call are refused: %o", (scores, kind, message) => {
  const draw = () => attentionMap({ data: [1, 0, 0.25, 0.75], shape: [2, 2] }, { scores: scores as never });
  expect(draw).toThrow(kind);
  expect(draw).toThrow(message);
});

test("if cells are too small for one label each, some labels are drawn, at their cells", () => {
  const size = 40;
  const labels = Array.from({ length: size }, (_, i) => `token${i}`);
  const weights = { data: new Float32Array(size * size).fill(1), shape: [size, size] };
  const svg = attentionMap(weights, { rowLabels: labels, columnLabels: labels, cellSize: 5 });
  const drawn = [...svg.matchAll(/<text ([^>]*)>(token\d+)<\/text>/g)];
  const expected = labels.filter((_, i) => i % 3 === 0);
  expect(drawn.map(([, , text]) => text)).toEqual([...expected, ...expected]);
  const height = (text: string) => Number(/y="([\d.]+)"/.exec(drawn.find((one) => one[2] === text)![1]!)![1]);
  expect(height("token6") - height("token3")).toBe(15);
  expect(svg).toContain("One label of 3 is drawn, as cells are 5 pixels wide.");
  // Numbers that nobody gave would only fill the page.
  expect(attentionMap(weights, { cellSize: 5 })).not.toMatch(/<text[^>]*>3<\/text>|One label/);
});

test("with a selected weight, cells can be selected, and the selected cell or row has a frame", () => {
  const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
  const plain = attentionMap(weights);
  expect(plain).not.toMatch(/data-qkv-(cell|selected)/);
  const frame = (selected: object) =>
    /data-qkv-selected="" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/
      .exec(attentionMap(weights, { selected: selected as never, cellSize: 10 }))!
      .slice(1)
      .map(Number);
  const cell = attentionMap(weights, { selected: { row: 1, column: 0 }, cellSize: 10 });
  expect(cell.match(/data-qkv-cell="\d,\d"/g)).toEqual(
    ["0,0", "0,1", "1,0", "1,1"].map((at) => `data-qkv-cell="${at}"`),
  );
  const [x, y] = /data-qkv-cell="1,0" x="([\d.]+)" y="([\d.]+)"/.exec(cell)!.slice(1).map(Number);
  expect(frame({ row: 1, column: 0 })).toEqual([x, y, 10, 10]);
  expect(frame({ row: 1 })).toEqual([x, y, 20, 10]);
  const refused =
    (selected: object, of = weights) =>
    () =>
      attentionMap(of, { selected: selected as never });
  expect(refused({ row: 2 })).toThrow(/attentionMap: `selected\.row` is 2.*\nFix: count queries from 0/);
  expect(refused({ row: 0, column: 2 })).toThrow(/`selected\.column` is 2/);
  const two = { data: [1, 1], shape: [1, 2, 1, 1] };
  expect(refused({ row: 0 }, two)).toThrow(/several heads\.\nFix: leave `selected` out, or draw one head/);
});
