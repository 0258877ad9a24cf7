import type { Checks } from "../bound-checks.js";

/** Progress of reading a file. Unit: bytes. `total` is undefined where a server does not state it. */
export type ReadProgress = { source: string; loaded: number; total: number | undefined };

/** Options for reading a file. */
export type ReadOptions = {
  /** Stops reading: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Called as bytes arrive. */
  onProgress?: (progress: ReadProgress) => void;
  /** Milliseconds without a byte from a server after which reading ends with an error. Default: 30 000. */
  idleTimeoutMs?: number;
  /**
   * Bytes of the largest file that is read. Default: no limit, but 256 MiB where a server does not state how long its
   * answer is, or compresses it.
   */
  maxBytes?: number;
};

/** The caller: the checks of a function that are bound to the argument that it was given the file in. */
export type Reader = { readonly check: Checks<{ argument: string }> };
