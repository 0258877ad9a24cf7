import fc from "fast-check";
import { expect, test } from "vitest";
import { between } from "./between.js";
import type { Mark, Scene } from "./mark.js";

const scene = (marks: readonly Mark[], more: Partial<Scene> = {}): Scene => ({
  width: 320,
  height: 100,
  marks,
  description: "A scene.",
  ...more,
});
const rect = (key: string, x: number, more: Partial<Mark> = {}): Mark => ({
  key,
  kind: "rect",
  x,
  y: 0,
  width: 10,
  height: 10,
  ...more,
});
const find = ({ marks }: Scene, key: string) => marks.find((mark) => mark.key === key);

test("at 0 it is the first scene, at 1 the second", () => {
  const [a, b] = [scene([rect("r", 0)]), scene([rect("r", 9)])];
  expect(between(a, b, 0)).toBe(a);
  expect(between(a, b, 1)).toBe(b);
});

test("a mark of both scenes moves, slowly at both ends; missing fields have their defaults", () => {
  const [a, b] = [scene([rect("r", 0)]), scene([rect("r", 100, { opacity: 0 })], { height: 200 })];
  expect(find(between(a, b, 0.5), "r")).toMatchObject({ x: 50, opacity: 0.5 });
  expect(find(between(a, b, 0.1), "r")!.x).toBeLessThan(2);
  expect(
    find(
      between(a, b, 0.1, (t) => t),
      "r",
    )!.x,
  ).toBeCloseTo(10);
  expect(between(a, b, 0.5).height).toBe(150);
});

test("letters and colors change halfway", () => {
  const [a, b] = [
    scene([rect("r", 0, { text: "1", fill: "query" })]),
    scene([rect("r", 0, { text: "2", fill: "key" })]),
  ];
  expect(find(between(a, b, 0.4), "r")).toMatchObject({ text: "1", fill: "query" });
  expect(find(between(a, b, 0.6), "r")).toMatchObject({ text: "2", fill: "key" });
});

test("an entering mark grows out of its home, an exiting one shrinks into it", () => {
  const home = rect("home", 200, { width: 50 });
  const [without, with_] = [scene([home]), scene([home, rect("r", 0, { home: "home" })])];
  expect(find(between(without, with_, 1e-6), "r")!.x).toBeCloseTo(200);
  expect(find(between(without, with_, 1e-6), "r")!.width).toBeCloseTo(50);
  expect(find(between(with_, without, 1 - 1e-6), "r")!.x).toBeCloseTo(200);
  expect(find(between(with_, without, 0.5), "r")!.opacity).toBe(0.5);
});

test("without a home a mark fades in place", () => {
  const [without, with_] = [scene([]), scene([rect("r", 7, { home: "home" })])];
  expect(find(between(without, with_, 0.5), "r")).toMatchObject({ x: 7, opacity: 0.5 });
});

test("paths of the same commands change number by number", () => {
  const path = (d: string): Scene => scene([{ key: "p", kind: "path", x: 0, y: 0, d }]);
  expect(find(between(path("M0 0L10 0"), path("M0 0L20 40"), 0.5), "p")!.d).toBe("M0 0L15 20");
});

test("property: every mark of both scenes is drawn once between them", () => {
  const keys = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e"));
  fc.assert(
    fc.property(keys, keys, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (one, other, t) => {
      const [a, b] = [one, other].map((list) => scene(list.map((key, i) => rect(key, i)))) as [Scene, Scene];
      const seen = between(a, b, t).marks.map(({ key }) => key);
      expect(seen.sort()).toEqual([...new Set([...one, ...other])].sort());
    }),
  );
});
