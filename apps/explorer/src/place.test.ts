import { expect, test } from "vitest";
import {
  ablationTargets,
  beginning,
  readPlace,
  sortedBy,
  switchedIn,
  switchedOver,
  switchedTexts,
  writePlace,
  type Place,
} from "./place";

const place: Place = {
  model: "owner/name",
  text: "The naïve 🦊 & co. = #1",
  source: "",
  head: { layer: 2, head: 11 },
  query: 3,
  key: 0,
  score: "previousToken",
  off: ["1.2", "0.a", "3.f"],
  by: "head",
  measure: [12, 345],
};

test("a place is written to an address and read from it", () => {
  expect(readPlace(`#${writePlace(place)}`)).toEqual(place);
  expect(writePlace(beginning)).toBe("");
  expect(readPlace("")).toEqual(beginning);
});

test("a layer that is off whole is named once", () => {
  const whole = "the attention and the feed-forward layer of layer 3";
  expect(switchedTexts(["3.a", "1.2", "3.f"])).toEqual([whole, "layer 1, head 2"]);
  expect(switchedTexts(["3.a", "2.f"])).toEqual([
    "the attention of layer 3",
    "the feed-forward layer of layer 2",
  ]);
});

test("an address that names no place is the beginning", () => {
  expect(readPlace("#head=x&query=-1&key=1e9&off=1,a.b,1.x,,2.3&score=none&by=layer")).toEqual({
    ...beginning,
    off: ["2.3"],
  });
});

test("switches are the targets of ablate", () => {
  expect(ablationTargets(place.off)).toEqual([
    { layer: 1, head: 2 },
    { layer: 0, part: "attention" },
    { layer: 3, part: "feedForward" },
  ]);
  expect(switchedIn(ablationTargets(place.off))).toEqual(place.off);
  expect(switchedOver(["1.2"], "1.2")).toEqual([]);
  expect(switchedOver(["1.2"], "1.a")).toEqual(["1.2", "1.a"]);
});

test("a sort opens the first head of its list, also where another was pressed before", () => {
  const pressed = { ...beginning, head: { layer: 1, head: 2 }, query: 3, key: 1 };
  const sorted = { ...pressed, ...sortedBy("previousToken") };
  expect([sorted.score, sorted.head, sorted.key]).toEqual(["previousToken", undefined, undefined]);
  expect(sorted.query).toBe(3);
});
