import { expect, test } from "vitest";
import { numberText } from "./number-text.js";

test.each([
  [0.123456, "0.1235"],
  [12, "12"],
  [999.96, "1000"],
  [1024, "1,024"],
  [16384, "16,384"],
  [-60972.4, "-60,972"],
  [1e20, "100000000000000000000"],
  [NaN, "NaN"],
])("%s is %s", (value, text) => expect(numberText(value)).toBe(text));
