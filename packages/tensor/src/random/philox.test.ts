import { expect, test } from "vitest";
import { philox4x32 } from "./philox.js";

test.each<[string, [number, number, number, number], [number, number], string]>([
  ["zeros", [0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [
    "ones",
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    "408f276d 41c83b0e a20bc7c6 6d5451fd",
  ],
  [
    "digits of π",
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  ],
])("golden: the authors' published vector of %s", (_, counter, key, words) => {
  const found = philox4x32(counter, key);
  expect(found.map((word) => word.toString(16).padStart(8, "0")).join(" ")).toBe(words);
});
