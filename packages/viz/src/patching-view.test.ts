import { expect, test } from "vitest";
import { patchingView, type PatchedMetric } from "./patching-view.js";
import { tableOf } from "./table-of.js";

const names = ["layers.0.output", "layers.1.output"];
const patched: PatchedMetric = {
  names,
  values: { data: [1, 1.5, 3, 0, 1, NaN], shape: [2, 3] },
  unpatched: 1,
  source: 3,
};

test("with a source, a cell is the restored fraction of the difference", () => {
  const { rows } = tableOf(patchingView(patched, { columnLabels: ["The", " cat", "s"] }));
  expect(rows).toEqual([
    { name: "layers.0.output, position 0 “The”", value: "0, metric 1" },
    { name: "layers.0.output, position 1 “ cat”", value: "0.25, metric 1.5" },
    { name: "layers.0.output, position 2 “s”", value: "1, metric 3" },
    { name: "layers.1.output, position 0 “The”", value: "-0.5, metric 0" },
    { name: "layers.1.output, position 1 “ cat”", value: "0, metric 1" },
    { name: "layers.1.output, position 2 “s”", value: "none" },
  ]);
});

test("without a source a cell is the change of the metric, and without both the value", () => {
  const values = { data: [1, 4], shape: [1, 2] };
  const one = (given: object) =>
    tableOf(patchingView({ names: ["a"], values, ...given })).rows.map((row) => row.value);
  expect(one({ unpatched: 3 })).toEqual(["-2", "1"]);
  expect(one({})).toEqual(["1", "4"]);
  // Of two runs with one metric there is no share.
  expect(one({ unpatched: 3, source: 3 })).toEqual(["-2", "1"]);
});

test("opacity is the effect, with another color and a minus below 0, and hatching without a patch", () => {
  const svg = patchingView(patched);
  const cells = [
    ...svg.matchAll(/data-qkv-cell="(\d,\d)"[^>]*class="qkv-fill-(\w+)"[^>]*fill-opacity="([\d.]+)"/g),
  ];
  expect(cells.map(([, place, color, ink]) => [place, color, Number(ink)])).toEqual([
    ["0,0", "weight", 0],
    ["0,1", "weight", 0.25],
    ["0,2", "weight", 1],
    ["1,0", "negative", 0.5],
    ["1,1", "weight", 0],
  ]);
  expect(svg.match(/qkv-line-hatch/g)).toHaveLength(1 + 1); // the style sheet has one, too
  expect(svg.match(/d="[^"]*"[^>]*qkv-line-text/g)).toHaveLength(1); // the minus of the cell below 0
  // Given a scale, pictures compare.
  expect(patchingView(patched, { max: 2 })).toContain(
    'fill-opacity="0.500"><title>layers.0.output, position 2',
  );
});

test("null is no patch, as JSON has no NaN; a tensor of numbers may be a typed array", () => {
  const { values } = patched;
  const [typed, listed] = [Float32Array.from(values.data), Array.from(values.data)].map((data) =>
    patchingView({ ...patched, values: { ...values, data } }),
  );
  const json = JSON.parse(JSON.stringify(patched)) as PatchedMetric;
  expect(json.values.data[5]).toBeNull();
  expect([typed, listed]).toEqual([patchingView(json), patchingView(json)]);
});

test("the description names the largest effect and the selected cell, which has a frame", () => {
  const svg = patchingView(patched, { columnName: "head", selected: { row: 1, column: 0 } });
  expect(tableOf(svg).description).toBe(
    "A heat map of 2 tensors (rows) by 3 heads (columns). An effect of 1 is the metric of the source, 0 that of the unpatched run. " +
      "The largest effect is 1, of layers.0.output, head 2. layers.1.output, head 0 is selected.",
  );
  const place = (from: string) => new RegExp(`<rect ${from} (x="[^"]*" y="[^"]*")`).exec(svg)![1];
  expect(place('data-qkv-selected=""')).toBe(place('data-qkv-cell="1,0"'));
});

test("exact cells among estimates have a dot, and the metric has a name", () => {
  const given = { exact: [{ row: 0, column: 1 }], metricName: "logit difference" };
  const svg = patchingView(patched, given);
  expect(svg.match(/<circle/g)).toHaveLength(1);
  const { rows, description } = tableOf(svg);
  expect(rows[1]!.value).toBe("0.25, logit difference 1.5, exact");
  expect(rows[2]!.value).toBe("1, logit difference 3");
  expect(description).toContain("An effect of 1 is the logit difference of the source");
  expect(description).toContain("Cells with a dot are exact");
  expect(patchingView(patched)).not.toContain("<circle");
});

test("golden: reviewed as a picture", async () => {
  const data = Array.from({ length: 24 }, (_, i) => Number(Math.sin(i).toFixed(2)));
  const rows = ["layers.0.output", "layers.1.output", "layers.2.output", "layers.3.output"];
  const svg = patchingView(
    { names: rows, values: { data, shape: [4, 6] }, unpatched: 0, source: 1 },
    { columnLabels: ["The", " cat", " sat", " on", " the", " mat"], title: "Effects of patches" },
  );
  await expect(svg).toMatchFileSnapshot("../snapshots/patching.svg");
});

test("a text of white space has a symbol, and a text of markup stays text", () => {
  const svg = patchingView(patched, { columnLabels: [" ", "\n", "<b>"] });
  expect(svg).toContain(">␣</text>");
  expect(svg).toContain(">⏎</text>");
  expect(svg).not.toContain("<b>");
});

test.each([
  [{ names }, /`patched.values` is undefined, expected an object \{ data, shape \}/],
  [{ ...patched, names: ["a"] }, /`patched.names` is "1 labels", expected 2/],
  [{ ...patched, values: { data: [1, Infinity], shape: [2, 1] } }, /`patched.values.data\[1\]` is Infinity/],
  [
    { ...patched, values: { data: [1, 2], shape: [2] } },
    /`patched.values` has shape \[2\], expected \[rows, columns\]/,
  ],
  [{ ...patched, source: NaN }, /`patched.source` is NaN/],
  [null, /`patched` is null, expected an object/],
  [
    { names: ["a"], values: { data: new Float32Array(20_001), shape: [1, 20_001] } },
    /expected 20000 cells or fewer\.\nFix: draw a range/,
  ],
])("%o is refused", (wrong, message) => {
  expect(() => patchingView(wrong as never)).toThrow(message);
});

test.each([
  [{ selected: { row: 2, column: 0 } }, /patchingView: `selected.row` is 2/],
  [{ columnLabels: ["a"] }, /`columnLabels` is "1 labels", expected 3/],
  [{ columnName: "layer" }, /`columnName` is "layer", expected "position" or "head"/],
  [{ max: 0 }, /`max` is 0/],
  [{ exact: [{ row: 0, column: 3 }] }, /`exact\[0\].column` is 3/],
  [{ exact: 1 }, /`exact` is 1/],
  [{ metricName: 1 }, /`metricName` is 1/],
  [{ colors: "red" }, /colors/],
])("options %o are refused", (options, message) => {
  expect(() => patchingView(patched, options as never)).toThrow(message);
});
