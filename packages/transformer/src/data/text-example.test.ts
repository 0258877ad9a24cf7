import { expect, test } from "vitest";
import { textExample } from "./text-example.js";

test("targets are the following ids; texts of one token and invalid ids are refused", () => {
  expect(textExample(Int32Array.of(4, 2))).toEqual({ ids: [4], targets: [2] });
  expect(() => textExample([4])).toThrow(
    /`ids` is "1 tokens", expected 2 tokens or more.*\nFix: leave shorter texts out/,
  );
  expect(() => textExample([4, 0.5])).toThrow("textExample: `ids` is 0.5");
  expect(() => textExample([4, -1])).toThrow("textExample: `ids` is -1");
  expect(() => textExample([4, 2 ** 31])).toThrow("textExample: `ids` is 2147483648");
});
