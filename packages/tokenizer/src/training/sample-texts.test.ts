import { expect, test } from "vitest";
import { sampleTexts } from "./sample-texts.js";

const texts = Array.from({ length: 2000 }, (_, i) => String(i));
async function sample(rate: number, seed = 1) {
  const taken: string[] = [];
  for await (const text of sampleTexts(texts, { rate, seed })) taken.push(text);
  return taken;
}

test("a sample has about the requested rate, keeps the order, and is equal for equal seeds", async () => {
  const quarter = await sample(0.25);
  expect(Math.abs(quarter.length - 500)).toBeLessThan(100);
  expect(quarter.map(Number)).toEqual(quarter.map(Number).sort((a, b) => a - b));
  expect(await sample(0.25)).toEqual(quarter);
  expect(await sample(0.25, 2)).not.toEqual(quarter);
  expect(await sample(1)).toEqual(texts);
});

test("impossible rates and seeds are refused", async () => {
  await expect(sample(0)).rejects.toThrow("sampleTexts: `rate` is 0, expected a number above 0, at most 1.");
  await expect(sample(1.5)).rejects.toThrow("`rate` is 1.5");
  await expect(sample(0.5, 0.5)).rejects.toThrow("`seed` is 0.5, expected an integer");
});
