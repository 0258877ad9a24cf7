import type { LayerPrediction } from "@qkv/lens/session";
import { expect, test } from "vitest";
import { decidingLayer } from "./layers-panel";

const at = (...ids: number[]): LayerPrediction[] =>
  ids.map((id, i) => ({
    layer: i - 1,
    position: 3,
    top: [{ id, text: String(id), probability: 0.5 }],
    watched: [],
  }));

test("the deciding layer is the first from which on the prediction stays", () => {
  expect(decidingLayer(at(1, 2, 7, 7))).toBe(1);
  expect(decidingLayer(at(7, 2, 7))).toBe(1);
  expect(decidingLayer(at(7, 7, 7))).toBe(-1);
  expect(decidingLayer(at(1, 2, 3))).toBe(1);
});
