import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { attentionMap } from "./attention-map.js";
import { headGrid } from "./head-grid.js";
import { headView } from "./head-view.js";
import { logitLensView } from "./logit-lens-view.js";
import { patchingView } from "./patching-view.js";
import {
  AttentionMap,
  HeadGrid,
  HeadView,
  LogitLensView,
  ModelView,
  NeuronView,
  PatchingView,
  RopeClock,
} from "./react.js";

test("the server renders the picture", () => {
  const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
  const html = renderToString(createElement(AttentionMap, { args: [weights, { title: "Two" }] }));
  expect(html).toBe(`<qkv-picture>${attentionMap(weights, { title: "Two" })}</qkv-picture>`);
});

test("a picture takes several arguments in their order", () => {
  expect(renderToString(createElement(RopeClock, { args: [{ query: 5, key: 2 }, 4] }))).toContain(
    "by 3 between",
  );
});

test("the views of heads have components of their own", () => {
  const layer = { data: [1, 0, 0.25, 0.75], shape: [1, 1, 2, 2] };
  const options = { rowLabels: ["the", "cat"], window: 2 };
  expect(renderToString(createElement(HeadView, { args: [layer, options] }))).toBe(
    `<qkv-picture>${headView(layer, options)}</qkv-picture>`,
  );
  expect(renderToString(createElement(ModelView, { args: [[layer, layer]] }))).toContain("layer 1, head 0");
  const [query, key] = [
    { data: [2], shape: [1] },
    { data: [1, 3], shape: [2, 1] },
  ];
  expect(
    renderToString(createElement(NeuronView, { args: [query, key, { columnLabels: ["the", "cat"] }] })),
  ).toContain("key “cat”, score: 6");
});

test("a grid of heads has the selected one framed on a server too", () => {
  const weights = { data: [1, 0, 0.25, 0.75], shape: [1, 1, 2, 2] };
  const options = { selected: { layer: 0, head: 0 } };
  const html = renderToString(createElement(HeadGrid, { args: [weights, options], onHeadSelect: () => {} }));
  expect(html).toBe(`<qkv-picture>${headGrid(weights, options)}</qkv-picture>`);
});

test("a map of thousands of tokens is drawn in the browser only", () => {
  const weights = { data: new Float32Array(400 * 1000), shape: [400, 1000] };
  expect(renderToString(createElement(AttentionMap, { args: [weights] }))).toBe(
    "<qkv-attention-map></qkv-attention-map>",
  );
});

test("the views of a lens have their selected cell framed on a server too", () => {
  const selected = { row: 0, column: 0 };
  const patched = { names: ["a"], values: { data: [0.5, -0.25], shape: [1, 2] } };
  expect(
    renderToString(createElement(PatchingView, { args: [patched, { selected }], onCellSelect: () => {} })),
  ).toBe(`<qkv-picture>${patchingView(patched, { selected })}</qkv-picture>`);
  const probabilities = { data: [0.5], shape: [1, 1, 1] };
  const lens = { names: ["a"], tokens: ["x"], topTokens: [[["y"]]], probabilities };
  expect(
    renderToString(createElement(LogitLensView, { args: [lens, { selected }], onCellSelect: () => {} })),
  ).toBe(`<qkv-picture>${logitLensView(lens, { selected })}</qkv-picture>`);
});
