import { expect, test } from "vitest";
import {
  effectText,
  effectUnit,
  knownValues,
  largestPatches,
  patchText,
  readingOf,
  splitText,
} from "./patch-map";

const map = {
  names: ["layers.0.output", "layers.1.output"],
  columns: 3,
  // Both texts: 2 and 0. The last of them is the answer itself.
  values: Float32Array.of(2, 1, 2.5, 3.75, NaN, 0),
  ...{ unpatched: 2, source: 0 },
};
const places = (cells: ReturnType<typeof largestPatches>) =>
  cells.map(({ row, column }) => `${row},${column}`);

test("patches are listed by magnitude, those that lead away among them, and the answer itself", () => {
  expect(places(largestPatches(map))).toEqual(["1,2", "1,0", "0,1", "0,2", "0,0"]);
  expect(largestPatches(map, 1)).toEqual([{ row: 1, column: 2 }]);
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
  expect(places(largestPatches({ ...map, values }))).toEqual(["0,0", "1,0", "0,1", "0,2", "1,2"]);
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

test("a map by position is read: where the difference sits, and from which layer on at the last token", () => {
  const names = ["layers.0.output", "layers.1.output", "layers.2.output"];
  const read = (...values: number[]) =>
    readingOf(
      { names, columns: 3, values: Float32Array.from(values), unpatched: 0, source: 4 },
      [1],
      ["The", " cow", " says"],
    );
  expect(read(0, 4, 0, 0, 3, 1, 0, 0, 4)).toBe(
    "The difference sits at “␣cow” up to layer 1, and is at “␣says” from layer 2 on.",
  );
  expect(read(0, 1, 3, 0, 0, 4, 0, 0, 4)).toBe(
    "After layer 0 the difference is no longer at “␣cow”, and is at “␣says” from layer 0 on.",
  );
  // In layer 1 another token has it.
  expect(read(3, 4, 0, 4, 0, 1, 0, 0, 4)).toBe(
    "The difference sits at “␣cow” up to layer 0; it passes through “The”, and is at “␣says” from layer 2 on.",
  );
  // The last token itself was changed: there is nothing to follow.
  expect(readingOf({ ...map }, [2], ["a", "b", "c"])).toBeUndefined();
});

test("texts of other lengths are told by the words that split differently", () => {
  expect(splitText(["The", " sl", "eepy", " cat"], ["The", " hungry", " cat"])).toBe(
    "“sleepy” is 2 tokens (␣sl + eepy), “hungry” is 1 token",
  );
  expect(splitText(["a", "a"], ["a"])).toBe("Only this text has “a”, 1 token");
});

test("the last position after the last layer is named as the answer", () => {
  const of = { labels: ["The", " cat"], numLayers: 2 };
  expect(patchText("layers.1.output", "position", 1, of)).toBe("after layer 1, at ␣cat (the answer itself)");
  expect(patchText("layers.0.output", "position", 1, of)).toBe("after layer 0, at ␣cat");
  expect(patchText("layers.1.attention.heads", "head", 1, of)).toBe("layer 1, head 1");
});
