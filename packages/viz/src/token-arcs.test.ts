import fc from "fast-check";
import { expect, test } from "vitest";
import { tokenArcs } from "./token-arcs.js";

const labels = ["the", " cat", " sat", "\n"];
const weights = {
  data: [1, 0, 0, 0, 0.3, 0.7, 0, 0, 0.01, 0.79, 0.2, 0, 0.25, 0.25, 0.25, 0.25],
  shape: [4, 4],
};
const drawnArcs = (svg: string) =>
  [
    ...svg.matchAll(
      /<path d="M([\d.-]+) ([\d.-]+)[^>]*stroke-opacity="([\d.]+)"[^>]*><title>([^<]*)<\/title>/g,
    ),
  ].map(([, x, y, ink, text]) => ({ x: Number(x), y: Number(y), ink: Number(ink), text }));

test("property: an arc for each weight of at least `minWeight`, darker for larger weights", () => {
  const weight = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(weight, { minLength: 4, maxLength: 4 }),
      (T, row) => {
        const data = Array.from({ length: T }, () => row).flat();
        const arcs = drawnArcs(tokenArcs({ data, shape: [T, 4] }, { labels, minWeight: 0.1 }));
        expect(arcs.length).toBe(T * row.filter((one) => one >= 0.1).length);
        const inks = row.filter((one) => one >= 0.1).map((one) => 0.12 + 0.88 * one);
        arcs.slice(0, inks.length).forEach(({ ink }, i) => expect(ink).toBeCloseTo(inks[i]!, 2));
      },
    ),
  );
});

test("one query: only its arcs, and every weight in words", () => {
  const svg = tokenArcs(weights, { labels, query: 2 });
  expect(drawnArcs(svg).map(({ text }) => text)).toEqual([
    "query “ sat”, key “ cat”: 0.79",
    "query “ sat”, key “ sat”: 0.2",
  ]);
  expect(svg).toContain("“ cat”: 0.79; “ sat”: 0.2. 1 smaller ones, 0.01 together, are left out.");
});

test("queries are the last of the keys", () => {
  const svg = tokenArcs({ data: [0, 1, 0, 0], shape: [1, 4] }, { labels, query: 0 });
  expect(drawnArcs(svg)[0]?.text).toBe("query “\n”, key “ cat”: 1");
});

test("golden: arcs of all tokens, and of one, downwards; reviewed as pictures", async () => {
  await expect(tokenArcs(weights, { labels, title: "Who looks at whom" })).toMatchFileSnapshot(
    "../snapshots/token-arcs.svg",
  );
  await expect(tokenArcs(weights, { labels, query: 3, direction: "down" })).toMatchFileSnapshot(
    "../snapshots/token-arcs-down.svg",
  );
});

test.each([
  [
    { data: [1, 0], shape: [2, 1] },
    { labels: ["a"] },
    "tokenArcs: `weights` has shape [2, 1], expected [T, S], T at most S",
  ],
  [{ data: [1], shape: [1, 1] }, { labels: [] }, "`labels`"],
  [
    { data: [-1], shape: [1, 1] },
    { labels: ["a"] },
    "tokenArcs: `weights.data[0]` is -1, expected a weight of 0 or more",
  ],
  [
    { data: [1], shape: [1, 1] },
    { labels: ["a"], query: 1 },
    "`query` is 1, expected an integer, 0 or more and at most 0",
  ],
])("%j with %j is refused", (values, options, message) => {
  expect(() => tokenArcs(values, options)).toThrow(message);
});

test("weights of several heads are refused, and the error names pictures for them", () => {
  const many = { data: [1], shape: [1, 1, 1, 1] };
  expect(() => tokenArcs(many, { labels: ["a"] })).toThrow(
    /expected \[T, S\], T at most S\.\nFix: pass one head of them; `attentionMap`, `headView` and `headGrid` draw many\./,
  );
});

test("with a selected weight, arcs are selected as weights and tokens as queries, and the key has a frame", () => {
  const weights = { data: [1, 0, 0, 0.5, 0.5, 0, 0.25, 0.25, 0.5], shape: [3, 3] };
  const labels = ["a", "b", "c"];
  expect(tokenArcs(weights, { labels, query: 2 })).not.toMatch(/data-qkv-(cell|selected)/);
  const svg = tokenArcs(weights, { labels, query: 2, selected: { row: 2, column: 1 } });
  expect(svg.match(/data-qkv-cell="[^"]*"/g)).toEqual(
    ["2,0", "2,1", "2,2", "0", "1", "2"].map((at) => `data-qkv-cell="${at}"`),
  );
  const place = /data-qkv-cell="1" (x="[\d.]+" y="[\d.]+" width="[\d.]+" height="[\d.]+")/.exec(svg)![1]!;
  expect(svg).toContain(`data-qkv-selected="" ${place}`);
  expect(/data-qkv-selected[^>]*/.exec(svg)![0]).toContain("qkv-line-key");
  // A token before the queries is none.
  const late = { data: [0.5, 0.5, 0], shape: [1, 3] };
  const last = tokenArcs(late, { labels, selected: { row: 0 } });
  expect(last.match(/data-qkv-cell="\d"/g)).toEqual(['data-qkv-cell="0"']);
  expect(last).not.toContain("data-qkv-selected");
  const refused = () => tokenArcs(late, { labels, selected: { row: 1 } });
  expect(refused).toThrow(/tokenArcs: `selected\.row` is 1/);
});
