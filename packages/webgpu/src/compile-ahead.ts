import { checks } from "@qkv/core";
import type { Device } from "@qkv/tensor";
import type { Engine } from "./engine.js";

export type CompileOptions = {
  /** Aborts: no further shader is compiled. */
  signal?: AbortSignal;
  /** Called after each compiled shader. */
  onProgress?: (progress: CompileProgress) => void;
};

export type CompileProgress = {
  /** Number of shaders compiled so far, of `total` missing ones. */
  readonly compiled: number;
  readonly total: number;
};

/** Shaders compiled concurrently. More would not be faster, and a signal could not stop those already started. */
const concurrency = 4;

/** Compiles the missing shaders that `f` requests in a dry run, and returns their number. */
export async function compileAhead(
  device: Device,
  engine: Engine,
  f: () => unknown,
  given?: CompileOptions,
): Promise<number> {
  const check = checks("compile");
  const { signal, onProgress } = check.options(given, ["signal", "onProgress"]);
  check.type(
    { f },
    "function",
    "pass a function that makes the calls: `device.compile(() => model.apply(…))`.",
  );
  if (signal !== undefined && typeof signal?.throwIfAborted !== "function")
    check.refuse({
      argument: "signal",
      received: signal,
      expected: "an AbortSignal",
      fix: "pass `controller.signal` of an AbortController.",
    });
  if (onProgress !== undefined) check.type({ onProgress }, "function");
  signal?.throwIfAborted();
  engine.check("compile");
  // The scope frees what the dry run allocated, and refuses a promise.
  const missing = engine.missingShaders(() =>
    device.scope(() => {
      const result = f();
      return typeof (result as PromiseLike<unknown> | undefined)?.then === "function" ? result : undefined;
    }),
  );
  const total = missing.length;
  let compiled = 0;
  const work = async () => {
    for (let next = missing.pop(); next; next = missing.pop()) {
      signal?.throwIfAborted();
      await engine.compile(next);
      compiled += 1;
      onProgress?.({ compiled, total });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, total) }, work));
  } finally {
    missing.length = 0;
  }
  return total;
}
