import { expect, test } from "vitest";
import { logitLensView, type LogitLensTokens } from "./logit-lens-view.js";
import { tableOf } from "./table-of.js";

const lens: LogitLensTokens = {
  names: ["embeddings", "layers.0.output"],
  tokens: ["The", " cat"],
  topTokens: [
    [
      ["The", " the"],
      [" cat", " cats"],
    ],
    [
      [" cat", " dog"],
      [" sat", " is"],
    ],
  ],
  probabilities: { data: [0.5, 0.25, 0.75, 0.125, 0.4, 0.3, 1, 0], shape: [2, 2, 2] },
  final: {
    tokens: [" dog", " sat"],
    probabilities: { data: [0.01, 0.02, 0.3, 1], shape: [2, 2] },
    ranks: { data: [1200, 40, 2, 1], shape: [2, 2] },
  },
};

test("the tooltip of each cell has its most probable tokens, and the final one with its rank", () => {
  expect(tableOf(logitLensView(lens)).rows).toEqual([
    { name: "embeddings, position 0 “The”", value: "“The” 0.5, “ the” 0.25; final “ dog” 0.01, rank 1,200" },
    {
      name: "embeddings, position 1 “ cat”",
      value: "“ cat” 0.75, “ cats” 0.125; final “ sat” 0.02, rank 40",
    },
    { name: "layers.0.output, position 0 “The”", value: "“ cat” 0.4, “ dog” 0.3; final “ dog” 0.3, rank 2" },
    { name: "layers.0.output, position 1 “ cat”", value: "“ sat” 1, “ is” 0; final “ sat” 1, rank 1" },
  ]);
  const { final: _, ...without } = lens;
  expect(tableOf(logitLensView(without)).rows[0]!.value).toBe("“The” 0.5, “ the” 0.25");
});

test("with `firstPosition`, positions are those of the whole text", () => {
  const { rows, description } = tableOf(
    logitLensView(lens, { firstPosition: 7, selected: { row: 0, column: 1 } }),
  );
  expect(rows.map(({ name }) => name)).toEqual([
    "embeddings, position 7 “The”",
    "embeddings, position 8 “ cat”",
    "layers.0.output, position 7 “The”",
    "layers.0.output, position 8 “ cat”",
  ]);
  expect(description).toContain("embeddings, position 8 “ cat” is selected.");
  expect(() => logitLensView(lens, { firstPosition: -1 })).toThrow(/`firstPosition` is -1/);
});

test("opacity is the probability of the drawn token, or of the final one", () => {
  const inks = (svg: string) =>
    [...svg.matchAll(/data-qkv-cell="[^>]*fill-opacity="([\d.]+)"/g)].map(([, ink]) => Number(ink));
  expect(inks(logitLensView(lens))).toEqual([0.225, 0.338, 0.18, 0.45]);
  expect(inks(logitLensView(lens, { ink: "final" }))).toEqual([0.005, 0.009, 0.135, 0.45]);
});

test("a cell whose token is the final one is bold, and the selected one has a frame", () => {
  const svg = logitLensView(lens, { selected: { row: 1, column: 1 } });
  expect([...svg.matchAll(/font-weight="700">([^<]*)</g)].map(([, text]) => text)).toEqual(["sat"]);
  expect(tableOf(svg).description).toContain("layers.0.output, position 1 “ cat” is selected.");
  const place = (from: string) => new RegExp(`<rect ${from} (x="[^"]*" y="[^"]*")`).exec(svg)![1];
  expect(place('data-qkv-selected=""')).toBe(place('data-qkv-cell="1,1"'));
});

test("golden: reviewed as a picture", async () => {
  await expect(logitLensView(lens, { title: "Logit lens" })).toMatchFileSnapshot(
    "../snapshots/logit-lens.svg",
  );
});

test("long tokens are cut to their cell, and whole in the tooltip", () => {
  const long = "internationalization-of-everything";
  const svg = logitLensView({
    names: ["a"],
    tokens: ["b"],
    topTokens: [[[long]]],
    probabilities: { data: [1], shape: [1, 1, 1] },
  });
  expect(svg).toContain(`“${long}” 1`);
  expect(svg).toMatch(/>internat[a-z]*…<\/text>/);
});

const with_ = (change: object) => ({ ...lens, ...change });
test.each([
  [{}, /`lens.probabilities` is undefined/],
  [with_({ tokens: ["The"] }), /`lens.tokens` is "1 labels", expected 2/],
  [with_({ names: "ab" }), /`lens.names` is "ab", expected a list/],
  [with_({ topTokens: [lens.topTokens[0]] }), /`lens.topTokens` is 1, expected 2 rows/],
  [
    with_({ topTokens: [[["a"], ["b"]], lens.topTokens[1]] }),
    /`lens.topTokens\[0\]\[0\]` is "1 labels", expected 2/,
  ],
  [
    with_({ probabilities: { data: Array(8).fill(-3), shape: [2, 2, 2] } }),
    /`lens.probabilities\[0\]` is -3, expected a probability from 0 to 1.\nFix: give the softmax/,
  ],
  [
    with_({ final: { ...lens.final, ranks: { data: [1, 2], shape: [1, 2] } } }),
    /`lens.final.ranks` has shape \[1, 2\], expected \[2, 2\]/,
  ],
  [
    with_({ probabilities: { data: new Float32Array(20_001), shape: [1, 20_001, 1] } }),
    /expected 20000 cells or fewer/,
  ],
])("a lens %# is refused", (wrong, message) => {
  expect(() => logitLensView(wrong as never)).toThrow(message);
});

test('`ink: "final"` needs final tokens', () => {
  expect(() => logitLensView(with_({ final: undefined }) as never, { ink: "final" })).toThrow(
    /logitLensView: `lens.final` is undefined, expected final tokens, as `ink` is final/,
  );
});
