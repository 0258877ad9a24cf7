import fc from "fast-check";
import { expect, test } from "vitest";
import { dark, light } from "./palette.js";
import { maxShade, pieces } from "./pieces.js";

const boxes = (svg: string) =>
  [
    ...svg.matchAll(
      /<rect x="([^"]*)" y="([^"]*)" width="([^"]*)"[^>]*fill-opacity="([^"]*)"><title>(.*?)<\/title>/g,
    ),
  ].map(([, x, y, width, shade, text]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
    shade: Number(shade),
    text,
  }));
const size = (svg: string) =>
  /width="(\d+)" height="(\d+)"/.exec(svg)!.slice(1).map(Number) as [number, number];

test("property: every piece has a box inside the picture, and no boxes overlap", () => {
  const row = fc.record({
    label: fc.string(),
    pieces: fc.array(fc.string({ maxLength: 12 }), { maxLength: 30 }),
  });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 60, max: 400 }),
      (rows, width) => {
        const svg = pieces(rows, { width });
        const all = boxes(svg);
        expect(all.length).toBe(rows.reduce((sum, { pieces }) => sum + pieces.length, 0));
        const [right, bottom] = size(svg);
        all.forEach((box, i) => {
          expect(box.x + box.width).toBeLessThanOrEqual(right);
          expect(box.y + 20).toBeLessThanOrEqual(bottom);
          const next = all[i + 1];
          if (next) expect(next.y > box.y || next.x >= box.x + box.width).toBe(true);
        });
      },
    ),
  );
});

test("white space is drawn as a symbol, and its tooltip has the text itself", () => {
  const svg = pieces([{ label: "signs", pieces: [" a", "\n", "\t<"], notes: ["id 1", "id 2", "id 3"] }]);
  for (const sign of ["␣a", "⏎", "⇥&lt;"]) expect(svg).toContain(`>${sign}</text>`);
  expect(boxes(svg).map(({ text }) => text)).toEqual([
    "&quot; a&quot;, id 1",
    "&quot;\\n&quot;, id 2",
    "&quot;\\t&lt;&quot;, id 3",
  ]);
});

test("a shade sets the opacity, and letters on the darkest have enough contrast in both themes", () => {
  const svg = pieces([{ label: "bytes", pieces: ["a", "b"], shades: [0.2, 1] }]);
  expect(boxes(svg).map(({ shade }) => shade)).toEqual([0.09, 0.45]);
  const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const luminance = (rgb: number[]) =>
    rgb
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i]!, 0);
  for (const { paper, weight, text } of [light, dark]) {
    const ink = channels(weight);
    const ground = channels(paper).map((c, i) => c + (ink[i]! - c) * maxShade);
    const [a, b] = [luminance(ground), luminance(channels(text))].sort((x, y) => x - y) as [number, number];
    expect((b + 0.05) / (a + 0.05)).toBeGreaterThan(4.5);
  }
});

test("golden: one text in words and in tokens, reviewed as a picture", async () => {
  const svg = pieces(
    [
      { label: "words", pieces: ["attention ", "is ", "attending"] },
      {
        label: "tokens",
        pieces: ["attention", " is", " attend", "ing"],
        notes: ["id 1", "id 2", "id 3", "id 4"],
      },
    ],
    { title: "Two ways to cut" },
  );
  await expect(svg).toMatchFileSnapshot("../snapshots/pieces.svg");
});

test.each([
  [[], "pieces: `rows` is [], expected one row or more.\nFix: give [{ label, pieces }]."],
  [[{ label: "a", pieces: ["b"], notes: [] }], '`rows[0].notes` is "0 notes", expected 1'],
  [[{ label: "a", pieces: ["b"], shades: [1, 1] }], '`rows[0].shades` is "2 shades", expected 1'],
  [[{ label: "a", pieces: ["b"], shades: [1.5] }], "`rows[0].shades` is 1.5, expected numbers from 0 to 1"],
])("%j is refused", (rows, message) => {
  expect(() => pieces(rows)).toThrow(message);
});
