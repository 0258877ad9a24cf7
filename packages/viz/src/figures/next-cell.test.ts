import { expect, test } from "vitest";
import type { Mark, Scene } from "./mark.js";
import { nextCell } from "./next-cell.js";

const rect = (cell: string | undefined, x: number, y: number, opacity = 1): Mark => ({
  key: `${cell}@${x},${y}`,
  kind: "rect",
  x,
  y,
  width: 10,
  height: 10,
  opacity,
  cell,
});
const scene: Scene = {
  width: 100,
  height: 100,
  description: "",
  marks: [
    rect("a", 0, 0),
    rect("b", 20, 0),
    rect("c", 0, 20),
    rect("far", 20, 80),
    rect(undefined, 40, 0),
    rect("hidden", 60, 0, 0),
  ],
};

test("an arrow key goes to the nearest cell in its direction, straight ahead first", () => {
  expect(nextCell(scene, "a", "right")).toBe("b");
  expect(nextCell(scene, "a", "down")).toBe("c");
  expect(nextCell(scene, "b", "down")).toBe("far");
  expect(nextCell(scene, "c", "up")).toBe("a");
});

test("without a visible cell in the direction, the focus stays", () => {
  expect(nextCell(scene, "b", "right")).toBe("b");
  expect(nextCell(scene, "a", "left")).toBe("a");
});

test("without a focused cell, it is the first", () => {
  expect(nextCell(scene, undefined, "right")).toBe("a");
  expect(nextCell(scene, "gone", "right")).toBe("a");
});
