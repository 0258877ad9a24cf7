import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { tableOf } from "../table-of.js";
import type { Mark } from "./mark.js";
import { sceneSvg } from "./scene-svg.js";

const marksSvg = (...marks: Mark[]) =>
  sceneSvg({ width: 100, height: 50, marks, description: "A scene." }, "Scene");

test("each kind of mark has its SVG element, in the colors of the theme", () => {
  const svg = marksSvg(
    { key: "r", kind: "rect", x: 1, y: 2, width: 3, height: 4, radius: 1, fill: "query", fillOpacity: 0.5 },
    { key: "c", kind: "circle", x: 5, y: 6, radius: 7, stroke: "key", strokeWidth: 2, dash: true },
    {
      key: "t",
      kind: "text",
      x: 8,
      y: 9,
      text: "sat",
      anchor: "end",
      size: 13,
      weight: 600,
      fill: "value-text",
    },
    { key: "p", kind: "path", x: 10, y: 0, d: "M0 0L5 5", stroke: "rule", opacity: 0.25 },
  );
  expect(svg).toContain(
    '<rect x="1" y="2" width="3" height="4" rx="1" fill="#0072b2" class="qkv-fill-query" fill-opacity="0.5"></rect>',
  );
  expect(svg).toContain(
    '<circle cx="5" cy="6" r="7" fill="none" class="qkv-line-key" stroke="#d55e00" stroke-width="2" stroke-dasharray="3 3"></circle>',
  );
  expect(svg).toContain(
    '<text x="8" y="9" font-size="13" text-anchor="end" font-weight="600" fill="#007455" class="qkv-fill-value-text">sat</text>',
  );
  expect(svg).toContain('transform="translate(10 0)"');
});

test("the letters of a rect are in its middle, over its hatching", () => {
  const svg = marksSvg({
    key: "r",
    kind: "rect",
    x: 0,
    y: 0,
    width: 40,
    height: 20,
    hatch: 0.5,
    text: "0.4",
    textFill: "paper",
  });
  expect(svg).toMatch(
    /<rect[^>]*><\/rect><path d="M[^"]*"[^>]*opacity="0.5"[^>]*><\/path><text x="20" y="14.2"/,
  );
  expect(svg).toContain('class="qkv-fill-paper"');
});

test("`ariaLabel` of a mark is a row of the table, and any text is escaped", () => {
  const text = "weight of “<b>” for “&”: 0.42";
  const svg = marksSvg({
    key: "r",
    kind: "rect",
    x: 0,
    y: 0,
    width: 9,
    height: 9,
    text: '"<',
    ariaLabel: text,
  });
  expect(tableOf(svg).rows).toEqual([{ name: "weight of “<b>” for “&”", value: "0.42" }]);
  const parser = new SaxesParser();
  parser.on("error", (error) => expect.fail(error.message));
  parser.write(svg).close();
});

test("layers are painted from background to moving marks", () => {
  const dot = (key: string, layer?: 0 | 1 | 2): Mark => ({
    key,
    kind: "text",
    x: 0,
    y: 0,
    text: key,
    ...(layer && { layer }),
  });
  const svg = marksSvg(dot("moves", 2), dot("ground"), dot("letters", 1));
  expect([...svg.matchAll(/>(moves|ground|letters)</g)].map(([, name]) => name)).toEqual([
    "ground",
    "letters",
    "moves",
  ]);
});
