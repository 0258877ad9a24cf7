import { expect, test } from "vitest";
import { duration } from "./duration.js";

test("durations are in seconds, and from 90 seconds on in minutes", () => {
  const times = [0.4, 89.4, 89.6, 125, 3599.6];
  expect(times.map(duration)).toEqual(["0 s", "89 s", "1 min 30 s", "2 min 05 s", "60 min 00 s"]);
});
