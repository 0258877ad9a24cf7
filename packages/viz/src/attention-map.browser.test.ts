import { beforeEach, expect, test } from "vitest";
import { attentionMap } from "./attention-map.js";
import { dark, light } from "./palette.js";

const labels = ["the", "cat", "sat"];
const weights = { data: [1, 0, 0, 0.25, 0.75, 0, 0.2, 0.3, 0.5], shape: [3, 3] };

const css = (hex: string) => `rgb(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(", ")})`;
const color = (selector: string) => getComputedStyle(document.querySelector(selector)!).fill;

beforeEach(() => {
  document.documentElement.removeAttribute("data-theme");
  document.body.innerHTML = attentionMap(weights, { rowLabels: labels, columnLabels: labels });
});

test("the text is well-formed SVG", () => {
  const svg = attentionMap(weights, { rowLabels: ["<&>", '"', "'"] });
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
  expect(parsed.querySelector("parsererror")).toBeNull();
  expect(parsed.documentElement.namespaceURI).toBe("http://www.w3.org/2000/svg");
});

test("cells are in rows of queries and columns of keys, and do not overlap", () => {
  const boxes = [...document.querySelectorAll(".qkv-cell, .qkv-masked")].map((cell) =>
    cell.getBoundingClientRect(),
  );
  expect(boxes.length).toBe(9);
  boxes.forEach((box, i) => {
    expect(box.top).toBeCloseTo(boxes[3 * Math.floor(i / 3)]!.top, 3);
    expect(box.left).toBeCloseTo(boxes[i % 3]!.left, 3);
    if (i % 3 > 0) expect(box.left).toBeCloseTo(boxes[i - 1]!.right, 3);
    if (i >= 3) expect(box.top).toBeCloseTo(boxes[i - 3]!.bottom, 3);
  });
});

test("no letter is cut off at the edge", () => {
  const frame = document.querySelector("svg")!.getBoundingClientRect();
  for (const text of document.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    expect(box.left >= frame.left && box.right <= frame.right, text.textContent ?? "").toBe(true);
    expect(box.top >= frame.top && box.bottom <= frame.bottom, text.textContent ?? "").toBe(true);
  }
});

test.each([
  ["light", light],
  ["dark", dark],
])("a page that is %s gets that theme's colors", (name, theme) => {
  document.documentElement.setAttribute("data-theme", name);
  expect(color(".qkv-fill-paper")).toBe(css(theme.paper));
  expect(color(".qkv-cell")).toBe(css(theme.weight));
  expect(color("text.qkv-fill-query-text")).toBe(css(theme["query-text"]));
  expect(color("text.qkv-fill-key-text")).toBe(css(theme["key-text"]));
  expect(color(".qkv-masked")).toBe("none"); // hatched, never a color of the scale
  expect(getComputedStyle(document.querySelector("path")!).stroke).toBe(css(theme.hatch));
});
