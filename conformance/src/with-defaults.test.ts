import { expect, test } from "vitest";
import { withDefaults } from "./with-defaults.js";

test("attributes of a case override defaults, and null counts as absent", () => {
  expect(withDefaults({ scale: undefined, axis: -1, eps: 1 }, { scale: null, axis: 0, eps: null })).toEqual({
    scale: undefined,
    axis: 0,
    eps: 1,
  });
});
