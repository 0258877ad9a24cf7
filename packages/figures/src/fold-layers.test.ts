import { expect, test } from "vitest";
import { foldLayers } from "./fold-layers.js";

const folded = (layers: readonly number[]) =>
  foldLayers(layers).map(({ pattern, times }) => `${pattern.join("")}×${times}`);

test("identical layers are one run, repeated patterns are runs, and remaining layers follow", () => {
  expect(folded([0, 0, 0, 0])).toEqual(["0×4"]);
  expect(folded([0, 1, 0, 1])).toEqual(["01×2"]);
  expect(folded([0, 0, 1, 0, 0, 1, 0])).toEqual(["001×2", "0×1"]);
  expect(folded([0, 0, 0, 1, 1])).toEqual(["0×3", "1×2"]);
  expect(folded([0, 1, 2])).toEqual(["0×1", "1×1", "2×1"]);
  expect(folded([])).toEqual([]);
});

test("the runs, expanded, are the layers", () => {
  for (let seed = 1; seed < 200; seed++) {
    const layers = Array.from({ length: seed % 40 }, (_, i) => (seed * (i + 3) * (i + 7)) % 3);
    const expanded = foldLayers(layers).flatMap(({ pattern, times }) =>
      Array.from({ length: times }, () => pattern).flat(),
    );
    expect(expanded).toEqual(layers);
  }
});
