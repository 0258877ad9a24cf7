import { describe, expect, test } from "vitest";
import { readPatterns, type PatternedKernel, type ReadPattern } from "./read-pattern.js";

const large = 2 ** 26;

/** Read patterns whose calls take the given milliseconds, and the list of calls. */
function timed(
  milliseconds: Record<ReadPattern, number | (() => number)>,
  kernel: PatternedKernel = "decode",
) {
  let time = 0;
  const calls: ReadPattern[] = [];
  const patterns = readPatterns("auto", () => time);
  const run = (bytes = large, done = true) => {
    const { pattern, end } = patterns.begin(kernel, bytes);
    calls.push(pattern);
    const takes = milliseconds[pattern];
    time += typeof takes === "number" ? takes : takes();
    end(done);
  };
  return { patterns, calls, run };
}

describe("read patterns", () => {
  test("the fastest pattern is chosen after 18 calls larger than a cache, and the report has the reason", () => {
    const { patterns, calls, run } = timed({ sequential: 8, prefetched: 7, interleaved: 4 });
    for (let i = 0; i < 18; i++) run();
    expect(calls.slice(0, 4)).toEqual(["sequential", "prefetched", "interleaved", "sequential"]);
    expect(patterns.report().decode).toEqual({
      pattern: "interleaved",
      reason:
        "measured on calls of 64 MiB or more, best of 5 each: interleaved 16.8 GB/s, prefetched 9.6 GB/s, sequential 8.4 GB/s",
    });
    calls.length = 0;
    run();
    run(2 ** 21);
    expect(calls).toEqual(["interleaved", "interleaved"]);
    // Each kernel is measured by itself.
    expect(patterns.report().gemv.pattern).toBe("interleaved");
    expect(patterns.report().gemv.reason).toMatch(/^the default: fewer than 12 calls/);
  });

  test("the default stays if no other pattern is 5 % faster", () => {
    const { patterns, run } = timed({ sequential: 4, prefetched: 3.85, interleaved: 3.9 });
    for (let i = 0; i < 18; i++) run();
    expect(patterns.report().decode.pattern).toBe("sequential");
  });

  test("only the patterns of a kernel are measured", () => {
    const { patterns, calls, run } = timed({ sequential: 4, prefetched: 1, interleaved: 8 }, "gemv");
    for (let i = 0; i < 12; i++) run();
    expect(calls.slice(0, 3)).toEqual(["interleaved", "sequential", "interleaved"]);
    expect(patterns.report().gemv.pattern).toBe("sequential");
  });

  test("the first call of each pattern, which is compiled, and single slow calls do not count", () => {
    const first = [100, 4, 50, 4, 4, 4];
    const { patterns, run } = timed({ sequential: 8, prefetched: 8, interleaved: () => first.shift() ?? 4 });
    for (let i = 0; i < 18; i++) run();
    expect(patterns.report().decode.pattern).toBe("interleaved");
  });

  test("small calls, and calls that are left to the plain device, are not measured", () => {
    const { patterns, calls, run } = timed({ sequential: 8, prefetched: 8, interleaved: 4 });
    for (let i = 0; i < 30; i++) run(2 ** 24);
    expect(calls.every((pattern) => pattern === "sequential")).toBe(true);
    for (let i = 0; i < 30; i++) run(large, false);
    expect(patterns.report().decode.reason).toMatch(/^the default/);
  });

  test("calls that fit in a core's cache use the default pattern", () => {
    const { calls, run } = timed({ sequential: 8, prefetched: 8, interleaved: 4 });
    for (let i = 0; i < 18; i++) run();
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

  test("a fixed pattern that a kernel lacks is read in address order", () => {
    const patterns = readPatterns("prefetched");
    expect(patterns.begin("decode", large).pattern).toBe("prefetched");
    expect(patterns.begin("gemv", large).pattern).toBe("sequential");
    expect(patterns.report().gemv).toEqual({ pattern: "sequential", reason: "the option `readPattern`" });
  });
});
