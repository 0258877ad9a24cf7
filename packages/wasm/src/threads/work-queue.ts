/**
 * The work queue of the threads: a block of shared memory that holds one call at a time. The caller writes the call
 * while nobody is busy, opens it, works on it itself, closes it and waits until nobody is busy. A thread that comes
 * late finds the call closed and touches nothing.
 */
export type WorkQueue = { readonly words: Int32Array; readonly args: Float64Array };

/** Indices of the queue's words. */
export const at = {
  /** Number of the newest call; threads without work wait on it. */
  call: 0,
  /** 1 while threads may join the call. */
  open: 1,
  /** Threads beside the caller that are inside. */
  busy: 2,
  /** The first item that nobody has begun. */
  next: 3,
  items: 4,
  /** Index of the export that is run. */
  entry: 5,
  /** Address of the first thread's scratch, and the step from one thread's to the next one's. */
  scratch: 6,
  scratchStep: 7,
  /** Numbers in `args`. */
  count: 8,
  /** 1 if items that no thread has begun are skipped. */
  stop: 9,
  /** 0, or the thread that met an error. */
  fault: 10,
  /** 1 if threads shall end. */
  quit: 11,
  /** For each thread, the last call that it has seen. */
  heartbeat: 16,
} as const;

export const mostThreads = 64;
const argsOffset = /* @__PURE__ */ (() => 4 * (at.heartbeat + mostThreads))();
export const mostArgs = 48;

export function createWorkQueue(): SharedArrayBuffer {
  return new SharedArrayBuffer(argsOffset + 8 * mostArgs);
}

export function viewWorkQueue(buffer: SharedArrayBuffer): WorkQueue {
  return {
    words: new Int32Array(buffer, 0, argsOffset / 4),
    args: new Float64Array(buffer, argsOffset, mostArgs),
  };
}
