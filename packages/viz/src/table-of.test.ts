import { expect, test } from "vitest";
import { attentionMap } from "./attention-map.js";
import { bars } from "./bars.js";
import { lines } from "./lines.js";
import { tableOf } from "./table-of.js";

test("every number of a picture is a row, with unescaped text", () => {
  const svg = attentionMap(
    { data: [1, 0, 0.25, 0.75], shape: [2, 2] },
    { rowLabels: ["<a>", "b"], columnLabels: ["<a>", "&"] },
  );
  const { title, description, rows } = tableOf(svg);
  expect(title).toBe("Attention weights");
  expect(description).toContain("2 queries (rows) by 2 keys (columns)");
  expect(rows).toEqual([
    { name: "query “<a>”, key “<a>”", value: "1" },
    { name: "query “<a>”, key “&”", value: "masked" },
    { name: "query “b”, key “<a>”", value: "0.25" },
    { name: "query “b”, key “&”", value: "0.75" },
  ]);
});

test("lines and bars have rows too", () => {
  expect(tableOf(lines({ data: [3, 2], shape: [2] }, { xLabel: "step" })).rows).toEqual([
    { name: "step 0", value: "3" },
    { name: "step 1", value: "2" },
  ]);
  expect(tableOf(bars({ data: [8], shape: [1] }, { labels: ["a: b"], unit: "MB" })).rows).toEqual([
    { name: "a: b", value: "8 MB" },
  ]);
});
