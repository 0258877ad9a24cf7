import { expect, test } from "vitest";
import { withDefaults } from "./with-defaults.js";

test("what a case gives stands over the default, and null is not given", () => {
  expect(withDefaults({ scale: undefined, axis: -1, eps: 1 }, { scale: null, axis: 0, eps: null })).toEqual({
    scale: undefined,
    axis: 0,
    eps: 1,
  });
});
