import { expect, test } from "vitest";
import {
  effectText,
  effectUnit,
  knownValues,
  patchText,
  readingOf,
  sortedPatches,
  splitText,
  trivialPlace,
} from "./patch-map";

const map = {
  names: ["layers.0.output", "layers.1.output"],
  columns: 3,
  // Both texts: 2 and 0. The last of them is the answer itself.
  values: Float32Array.of(2, 1, 2.5, 3.75, NaN, 0),
  ...{ unpatched: 2, source: 0 },
};
const places = (cells: ReturnType<typeof sortedPatches>) =>
  cells.map(({ row, column }) => `${row},${column}`);

test("patches are listed by magnitude, those that lead away among them, and the answer itself", () => {
  expect(places(sortedPatches(map))).toEqual(["1,2", "1,0", "0,1", "0,2", "0,0"]);
});

test("an exact value takes the place of its estimate, also in the order", () => {
  const values = knownValues(
    map,
    new Map([
      ["0,0", -7],
      ["1,2", 1.9],
    ]),
  );
  expect([...values]).toEqual([-7, 1, 2.5, 3.75, NaN, Math.fround(1.9)]);
  expect(places(sortedPatches({ ...map, values }))).toEqual(["0,0", "1,0", "0,1", "0,2", "1,2"]);
  expect(map.values[0]).toBe(2);
});

test("an effect is the fraction of the logit difference that is restored, with its sign", () => {
  expect(effectUnit(map)).toBe("fraction");
  expect(effectText(map, "fraction", 1)).toBe("+0.50");
  expect(effectText(map, "fraction", 3.75)).toBe("−0.88");
  expect(effectText(map, "fraction", 0)).toBe("+1.00");
  expect(effectText(map, "logits", 1.5)).toBe("−0.50");
});

test("of a difference that is small, or smaller than what patches move, an effect is the change in logits", () => {
  expect(effectUnit({ ...map, source: 1.01 })).toBe("logits");
  expect(effectUnit({ ...map, source: 0.99 })).toBe("fraction");
  expect(effectUnit({ ...map, values: Float32Array.of(NaN, 6.1) })).toBe("logits");
  expect(effectUnit({ ...map, values: Float32Array.of(NaN, 5.9) })).toBe("fraction");
});

test("a map by position is read after every layer: where the difference sits", () => {
  const names = ["layers.0.output", "layers.1.output", "layers.2.output"];
  const read = (...values: number[]) =>
    readingOf({ names, columns: 3, values: Float32Array.from(values), unpatched: 0, source: 4 }, [
      "The",
      " cow",
      " says",
    ]);
  expect(read(0, 4, 0, 0, 3, 1, 0, 0, 4)).toBe(
    "Where the difference of the texts sits: after layers 0 to 1 at “␣cow”; after layer 2 at “␣says”.",
  );
  // Layer 1 is told, too, where no position has it; effects that lead away count as others do.
  expect(read(0, -4, 0, 0, 1, 1, 0, 0, 4)).toBe(
    "Where the difference of the texts sits: after layer 0 at “␣cow”; after layer 1 at no position clearly; after layer 2 at “␣says”.",
  );
  // A position that is neither the changed one nor the last is the strongest.
  expect(read(9, 4, 0, 9, 5, 0, 0, 0, 4)).toBe(
    "Where the difference of the texts sits: after layer 0 at “The”; after layer 1 at “The” and “␣cow”; after layer 2 at no position clearly.",
  );
});

test("a map that is read with many positions names the first ones", () => {
  const labels = ["a", "b", "c", "d", "e"];
  const map = { names: ["layers.7.output"], columns: 5, values: new Float32Array(5).fill(2) };
  expect(readingOf({ ...map, unpatched: 0, source: 2 }, labels)).toBe(
    "Where the difference of the texts sits: after layer 7 at “a”, “b”, “c” and 2 more.",
  );
});

test("places that restore the answer by themselves are trivial, heads never", () => {
  const at = (row: number, column: number, by: "position" | "head" = "position") =>
    trivialPlace(map, by, { row, column }, [1]);
  expect(at(1, 2)).toBe("answer");
  expect(at(0, 2)).toBeUndefined();
  expect([at(0, 1), at(1, 1)]).toEqual(["changed", "changed"]);
  expect(at(0, 0)).toBeUndefined();
  expect([at(1, 2, "head"), at(0, 1, "head")]).toEqual([undefined, undefined]);
});

test("texts of other lengths are told by the words that split differently", () => {
  expect(splitText(["The", " sl", "eepy", " cat"], ["The", " hungry", " cat"])).toBe(
    "“sleepy” is 2 tokens (␣sl + eepy), “hungry” is 1 token",
  );
  expect(splitText(["a", "a"], ["a"])).toBe("Only this text has “a”, 1 token");
});

test("a trivial place is named as what it is", () => {
  const labels = ["The", " cat"];
  const text = (trivial?: "answer" | "changed") =>
    patchText("layers.1.output", "position", 1, labels, trivial);
  expect(text("answer")).toBe("after layer 1, at ␣cat (the answer itself)");
  expect(text("changed")).toBe("after layer 1, at ␣cat (the changed token itself)");
  expect(text()).toBe("after layer 1, at ␣cat");
  expect(patchText("layers.1.attention.heads", "head", 1, labels)).toBe("layer 1, head 1");
});
