import { expect, test } from "vitest";
import { speedText } from "./training-progress.js";

test("the speed includes MFU if FLOPs are known", () => {
  const known = {
    tokensPerSecond: 1234.5,
    flopsPerSecond: 12.34e9,
    peakFlopsPerSecond: 60e9,
    utilization: 0.2057,
  };
  expect(speedText(known)).toBe("1235 tokens/s, 12.3 of 60.0 GFLOP/s (MFU 21 %)");
  const unknown = { flopsPerSecond: undefined, peakFlopsPerSecond: undefined, utilization: undefined };
  expect(speedText({ tokensPerSecond: 10, ...unknown })).toBe("10 tokens/s");
});
