import { expect, test } from "vitest";
import { sparkline } from "./sparkline.js";

test("a bar for each number, or for a range of them", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([5, 3, 1, 1], 2)).toBe("█▁");
  expect(sparkline([2, 2], 8)).toBe("▁▁");
  expect(sparkline([], 8)).toBe("");
});
