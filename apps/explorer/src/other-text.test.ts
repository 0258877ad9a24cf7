import fc from "fast-check";
import { expect, test } from "vitest";
import { followEdit } from "./other-text";

const [text, other] = ["The cat sat on the", "The dog sat on the"];

test.each([
  ["appended", "The cat sat on the mat", "The dog sat on the mat"],
  ["typed before the difference", "So the cat sat on the", "So the dog sat on the"],
  ["replaced after the difference", "The cat lay on the", "The dog lay on the"],
  ["taken away at the end", "The cat sat", "The dog sat"],
])("an edit where both texts are the same is made in both: %s", (_, after, followed) => {
  expect(followEdit(text, after, other)).toBe(followed);
});

test.each([
  ["in the difference", "The hen sat on the"],
  ["of the whole text", "Once upon a time"],
  ["to nothing", ""],
])("after any other edit it begins as a copy: %s", (_, after) => {
  expect(followEdit(text, after, other)).toBe(after);
});

test("property: a copy stays a copy, whatever is typed", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      expect(followEdit(before, after, before)).toBe(after);
    }),
  );
});
