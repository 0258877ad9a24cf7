import { expect, test } from "vitest";
import { decimals, listed, percents, signed } from "./text-of";

test("two probabilities have the digits that tell them apart", () => {
  expect(percents(0.17, 0.02)).toEqual(["17%", "2.0%"]);
  expect(percents(0.1704, 0.1684)).toEqual(["17.0%", "16.8%"]);
  expect(percents(0.17001, 0.17002)).toEqual(["17.001%", "17.002%"]);
  expect(percents(0.17, 0.17)).toEqual(["17%", "17%"]);
});

test("numbers have one minus sign, and none before 0", () => {
  expect([decimals(-0.5), decimals(-0.001), signed(-0.5), signed(-0.001), signed(2)]).toEqual([
    "\u22120.50",
    "0.00",
    "\u22120.50",
    "+0.00",
    "+2.00",
  ]);
});

test("names are joined by commas and one “and”", () => {
  expect([listed([]), listed([3]), listed([0, 3]), listed([0, 1, 3])]).toEqual([
    "",
    "3",
    "0 and 3",
    "0, 1 and 3",
  ]);
});
