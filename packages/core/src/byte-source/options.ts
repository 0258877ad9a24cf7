import type { Checks } from "../bound-checks.js";

/** Progress of reading a file. Unit: bytes. `total` is undefined if the server does not state it. */
export type ReadProgress = { source: string; loaded: number; total: number | undefined };

/** Options for reading a file. */
export type ReadOptions = {
  /** Stops reading: the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  /** Called as bytes arrive. */
  onProgress?: (progress: ReadProgress) => void;
  /** Longest time without a byte from the server, before an error is thrown. Unit: milliseconds. Default 30 000. */
  idleTimeoutMs?: number;
  /**
   * Largest size of a file. Unit: bytes. Default: no limit; 256 MiB if a server compresses the response or does not state its
   * length.
   */
  maxBytes?: number;
};

/** The caller: argument checks of the public function, bound to the argument that names the file. */
export type Reader = { readonly check: Checks<{ argument: string }> };
