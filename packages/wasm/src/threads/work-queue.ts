/**
 * The work queue of the threads, a block of shared memory with one call at a time. The caller writes the call while no thread is
 * busy, opens it, works on it itself, closes it, and waits until no thread is busy. A thread that wakes up late finds the call
 * closed and does nothing.
 */
export type WorkQueue = { readonly words: Int32Array; readonly args: Float64Array };

/** Indices of the fields in `words`. */
export const fields = {
  /** Number of the newest call. Idle threads wait for it to change. */
  call: 0,
  /** 1 while threads may join the call. */
  open: 1,
  /** Number of threads, without the caller's, that work on the call. */
  busy: 2,
  /** The next item to start. */
  next: 3,
  items: 4,
  /** Index of the exported function. */
  entry: 5,
  /** Address of the first thread's scratch memory; the next word is its size per thread. */
  scratch: 6,
  scratchStep: 7,
  /** Number of arguments in `args`. */
  count: 8,
  /** 1 if remaining items are skipped, because one failed. */
  stop: 9,
  /** 0, or the number of a thread in which an error occurred. */
  fault: 10,
  /** 1 if threads must end. */
  quit: 11,
  /** For each thread, the number of the last call that it has seen. */
  heartbeat: 16,
} as const;

export const maxThreads = 64;
const argsOffset = /* @__PURE__ */ (() => 4 * (fields.heartbeat + maxThreads))();
export const maxArgs = 48;

export function createWorkQueue(): SharedArrayBuffer {
  return new SharedArrayBuffer(argsOffset + 8 * maxArgs);
}

export function viewWorkQueue(buffer: SharedArrayBuffer): WorkQueue {
  return {
    words: new Int32Array(buffer, 0, argsOffset / 4),
    args: new Float64Array(buffer, argsOffset, maxArgs),
  };
}
