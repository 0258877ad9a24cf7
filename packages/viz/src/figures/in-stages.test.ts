import { expect, test } from "vitest";
import { inStages } from "./in-stages.js";
import type { Mark, Scene } from "./mark.js";

const rect = (key: string, x: number, more: Partial<Mark> = {}): Mark => ({
  key,
  kind: "rect",
  x,
  y: 0,
  width: 10,
  height: 10,
  ...more,
});
const scene = (...marks: Mark[]): Scene => ({ width: 320, height: 100, marks, description: "A scene." });
const [from, to] = [scene(rect("stays", 0), rect("goes", 50)), scene(rect("stays", 100), rect("comes", 200))];
const seen = (t: number) =>
  Object.fromEntries(inStages(from, to, t).marks.map(({ key, x, opacity = 1 }) => [key, { x, opacity }]));

test("at 0 it is the first scene, at 1 the second", () => {
  expect(inStages(from, to, 0)).toBe(from);
  expect(inStages(from, to, 1)).toBe(to);
});

test("first exiting marks fade, then remaining marks move, then entering marks appear", () => {
  expect(seen(0.1)).toMatchObject({ stays: { x: 0 } });
  expect(seen(0.1)["goes"]!.opacity).toBeLessThan(1);
  const middle = seen(0.5);
  expect(Object.keys(middle)).toEqual(["stays"]);
  expect(middle["stays"]!.x).toBeGreaterThan(20);
  expect(middle["stays"]!.x).toBeLessThan(80);
  const late = seen(0.85);
  expect(late).toMatchObject({ stays: { x: 100 }, comes: { x: 200 } });
  expect(late["comes"]!.opacity).toBeLessThan(1);
});
