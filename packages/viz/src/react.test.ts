import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { attentionMap } from "./attention-map.js";
import { AttentionMap, RopeClock } from "./react.js";

test("a page made on a server has the picture in it", () => {
  const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
  const html = renderToString(createElement(AttentionMap, { args: [weights, { title: "Two" }] }));
  expect(html).toBe(`<qkv-picture>${attentionMap(weights, { title: "Two" })}</qkv-picture>`);
});

test("a picture of several arguments takes them in their order", () => {
  expect(renderToString(createElement(RopeClock, { args: [{ query: 5, key: 2 }, 4] }))).toContain(
    "by 3 between",
  );
});
