import { describe, expect, test } from "vitest";
import { readPatterns, type ReadPattern } from "./read-pattern.js";

const large = 2 ** 26;

/** A chooser whose calls take so many milliseconds, and what was called. */
function timed(milliseconds: Record<ReadPattern, number | (() => number)>) {
  let time = 0;
  const calls: ReadPattern[] = [];
  const patterns = readPatterns("auto", () => time);
  const run = (bytes = large, done = true) => {
    const { pattern, end } = patterns.begin("decode", bytes);
    calls.push(pattern);
    const takes = milliseconds[pattern];
    time += typeof takes === "number" ? takes : takes();
    end(done);
  };
  return { patterns, calls, run };
}

describe("read patterns", () => {
  test("the faster of two is chosen after calls that are larger than a cache, and the report says why", () => {
    const { patterns, calls, run } = timed({ sequential: 8, interleaved: 4 });
    for (let i = 0; i < 12; i++) run();
    expect(calls.slice(0, 4)).toEqual(["sequential", "interleaved", "sequential", "interleaved"]);
    expect(patterns.report().decode).toEqual({
      pattern: "interleaved",
      reason:
        "measured on calls of 64 MiB or more, best of 5 each: sequential 8.4 GB/s, interleaved 16.8 GB/s",
    });
    calls.length = 0;
    run();
    run(2 ** 21);
    expect(calls).toEqual(["interleaved", "interleaved"]);
    // Each kernel is measured by itself.
    expect(patterns.report().gemv.pattern).toBe("interleaved");
    expect(patterns.report().gemv.reason).toMatch(/^the default: fewer than 12 calls/);
  });

  test("the default stays where the other is not clearly faster", () => {
    const { patterns, run } = timed({ sequential: 4, interleaved: 3.9 });
    for (let i = 0; i < 12; i++) run();
    expect(patterns.report().decode.pattern).toBe("sequential");
  });

  test("the first call of each pattern, which is compiled, and single slow calls do not count", () => {
    const first = [100, 4, 50, 4, 4, 4];
    const { patterns, run } = timed({ sequential: 8, interleaved: () => first.shift() ?? 4 });
    for (let i = 0; i < 12; i++) run();
    expect(patterns.report().decode.pattern).toBe("interleaved");
  });

  test("small calls, and calls that are left to the plain device, are not measured", () => {
    const { patterns, calls, run } = timed({ sequential: 8, interleaved: 4 });
    for (let i = 0; i < 30; i++) run(2 ** 24);
    expect(calls.every((pattern) => pattern === "sequential")).toBe(true);
    for (let i = 0; i < 30; i++) run(large, false);
    expect(patterns.report().decode.reason).toMatch(/^the default/);
  });

  test("calls that stay in a core's cache keep the default", () => {
    const { calls, run } = timed({ sequential: 8, interleaved: 4 });
    for (let i = 0; i < 12; i++) run();
    calls.length = 0;
    run(2 ** 19);
    expect(calls).toEqual(["sequential"]);
  });

  test("the option fixes the pattern of every kernel and measures nothing", () => {
    const patterns = readPatterns("interleaved", () => {
      throw new Error("looked at the clock");
    });
    for (const kernel of ["decode", "gemv", "gemvTransposed"] as const) {
      const { pattern, end } = patterns.begin(kernel, large);
      end(true);
      expect(pattern).toBe("interleaved");
    }
    expect(patterns.report().decode).toEqual({ pattern: "interleaved", reason: "the option `readPattern`" });
  });
});
