import { ArgumentError, checks } from "@qkv/core";
import { addressableBytes } from "./memory.js";
import type { ReadPattern } from "./read-pattern.js";
import type { WasmBuild } from "./sources.js";
import { maxThreads } from "./threads/work-queue.js";

export type WasmOptions = {
  /** Instruction set of the kernels. Default: the fastest that the engine supports. */
  build?: WasmBuild | "auto";
  /**
   * Number of threads, including the caller's; `auto` is one per core, at most 16. Threads need Node 20.16 or a cross-origin
   * isolated page; elsewhere the device has a single thread, and its report has the reason. Default: 1.
   */
  threads?: number | "auto";
  /** Largest size of the device's memory in bytes. Default: 4 GiB, or as much as the engine can reserve. */
  maxBytes?: number;
  /**
   * Order in which decoding and products of one row read memory. Results are the same to the last bit. Default: `auto`, which
   * times the first calls that are larger than the caches, because processors differ.
   */
  readPattern?: ReadPattern | "auto";
  /** Milliseconds that a call waits for other threads after its own work is done. Default: 30 000. */
  deadlineMs?: number;
  /**
   * Called every few milliseconds during a call, between work items. Once it returns true, the call throws an `AbortError`: its
   * results are lost, and tensors that it updates in place, as optimizers do, may be partly updated. Default: calls are not
   * aborted.
   */
  abortCallback?: () => boolean;
};

/** Checks options and fills in defaults. */
export function checkOptions(
  fn: string,
  given: WasmOptions | undefined,
): Required<Omit<WasmOptions, "abortCallback">> & Pick<WasmOptions, "abortCallback"> {
  const check = (isValid: boolean, argument: string, received: unknown, expected: string, fix: string) => {
    if (!isValid) throw new ArgumentError({ fn, argument, received, expected, fix });
  };
  const names = ["build", "threads", "maxBytes", "readPattern", "deadlineMs", "abortCallback"] as const;
  const {
    build = "auto",
    threads = 1,
    maxBytes = addressableBytes,
    readPattern = "auto",
    deadlineMs = 30_000,
    abortCallback,
  } = checks(fn).options(given, names);
  const isIntegerIn = (n: number | "auto", min: number, max: number) =>
    typeof n === "number" && Number.isInteger(n) && n >= min && n <= max;
  const builds = ["auto", "plain", "relaxed"];
  check(
    builds.includes(build),
    "build",
    build,
    '"auto", "plain" or "relaxed"',
    "leave it out for the fastest.",
  );
  check(
    threads === "auto" || isIntegerIn(threads, 1, maxThreads),
    "threads",
    threads,
    '"auto" or an integer from 1 to 64, the caller included',
    'pass "auto" for one thread on each core.',
  );
  check(
    isIntegerIn(maxBytes, 2 ** 20, addressableBytes),
    "maxBytes",
    maxBytes,
    "an integer number of bytes from 1 MiB to 4 GiB",
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
