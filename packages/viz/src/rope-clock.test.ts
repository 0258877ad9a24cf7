import { expect, test } from "vitest";
import { ropeClock } from "./rope-clock.js";

const cosines = (svg: string) => [...svg.matchAll(/>cos (-?[\d.]+)</g)].map(([, text]) => text);

test("the angles depend only on the distance of the positions", () => {
  const [here, there] = [ropeClock({ query: 7, key: 3 }, 16), ropeClock({ query: 107, key: 103 }, 16)];
  expect(cosines(here)).toEqual(cosines(there));
  expect(cosines(here)[0]).toBe(Math.cos(4).toFixed(2));
  expect(cosines(ropeClock({ query: 8, key: 3 }, 16))).not.toEqual(cosines(here));
});

test("the dials go from the fastest pair to the slowest", () => {
  const svg = ropeClock({ query: 1, key: 0 }, 64, { maxDials: 3 });
  expect([...svg.matchAll(/>pair (\d+)</g)].map(([, pair]) => pair)).toEqual(["0", "16", "31"]);
});

test("golden: a head of 8, reviewed as a picture", async () => {
  await expect(ropeClock({ query: 5, key: 2 }, 8, { title: "Five and two" })).toMatchFileSnapshot(
    "../snapshots/rope-clock.svg",
  );
});

test("an odd head size and an infinite position are refused", () => {
  expect(() => ropeClock({ query: 1, key: 0 }, 3)).toThrow(
    "ropeClock: `headDim` is 3, expected an even number",
  );
  expect(() => ropeClock({ query: NaN, key: 0 }, 4)).toThrow("`positions.query` is NaN, expected a position");
});
