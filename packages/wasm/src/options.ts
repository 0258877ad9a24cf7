import { ArgumentError, checks } from "@qkv/core";
import { mostBytes } from "./memory.js";
import type { ReadPattern } from "./read-pattern.js";
import type { WasmBuild } from "./sources.js";
import { mostThreads } from "./threads/work-queue.js";

export type WasmOptions = {
  /** Default: the fastest that this engine runs. */
  build?: WasmBuild | "auto";
  /**
   * Threads that work on a call, the caller among them; `auto` is one for each core, 16 at most. They need Node 20.16
   * or a cross-origin isolated page; elsewhere the device works alone, and its report says why. Default: 1.
   */
  threads?: number | "auto";
  /** Bytes that the device's memory may grow to. Default: 4 GiB, or what the machine gives. */
  maxBytes?: number;
  /**
   * The order in which decoding and products of one row read memory. Results are the same to the last bit. Default: `auto`,
   * which times the first calls that are larger than a cache, since processors differ.
   */
  readPattern?: ReadPattern | "auto";
  /** Milliseconds that a call waits for other threads once its own work is done. Default: 30 000. */
  deadlineMs?: number;
  /**
   * Asked every few milliseconds of a call, between items of its work; once it returns true, the call ends with an `AbortError`. What
   * it computed is lost; a tensor that it wrote in place, as optimizers do, is written in part. Default: calls are not aborted.
   */
  abortCallback?: () => boolean;
};

/** Fills in defaults and refuses what no device could be made of. */
export function checkOptions(
  fn: string,
  given: WasmOptions | undefined,
): Required<Omit<WasmOptions, "abortCallback">> & Pick<WasmOptions, "abortCallback"> {
  const check = (right: boolean, argument: string, received: unknown, expected: string, fix: string) => {
    if (!right) throw new ArgumentError({ fn, argument, received, expected, fix });
  };
  const names = ["build", "threads", "maxBytes", "readPattern", "deadlineMs", "abortCallback"] as const;
  const {
    build = "auto",
    threads = 1,
    maxBytes = mostBytes,
    readPattern = "auto",
    deadlineMs = 30_000,
    abortCallback,
  } = checks(fn).options(given, names);
  const whole = (n: number | "auto", least: number, most: number) =>
    typeof n === "number" && Number.isInteger(n) && n >= least && n <= most;
  const builds = ["auto", "plain", "relaxed"];
  check(
    builds.includes(build),
    "build",
    build,
    '"auto", "plain" or "relaxed"',
    "leave it out for the fastest.",
  );
  check(
    threads === "auto" || whole(threads, 1, mostThreads),
    "threads",
    threads,
    '"auto" or a whole number from 1 to 64, the caller included',
    'pass "auto" for one thread on each core.',
  );
  check(
    whole(maxBytes, 2 ** 20, mostBytes),
    "maxBytes",
    maxBytes,
    "a whole number of bytes from 1 MiB to 4 GiB",
    "leave it out for 4 GiB, which 32-bit addresses reach.",
  );
  check(
    ["auto", "sequential", "prefetched", "interleaved"].includes(readPattern),
    "readPattern",
    readPattern,
    '"auto", "sequential", "prefetched" or "interleaved"',
    "leave it out: the device measures which is the fastest.",
  );
  check(
    typeof deadlineMs === "number" && deadlineMs > 0,
    "deadlineMs",
    deadlineMs,
    "a number of milliseconds above 0",
    "leave it out for 30 seconds.",
  );
  check(
    abortCallback === undefined || typeof abortCallback === "function",
    "abortCallback",
    abortCallback,
    "a function that returns true once a call shall end",
    "leave it out: calls then run to their end.",
  );
  return { build, threads, maxBytes, readPattern, deadlineMs, ...(abortCallback && { abortCallback }) };
}
