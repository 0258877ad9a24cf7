/**
 * What threads tell each other: a block of shared memory that holds one call at a time. The caller writes the call
 * while nobody is busy, opens it, works on it itself, closes it and waits until nobody is busy. A thread that comes
 * late finds the call closed and touches nothing.
 */
export type Board = { readonly words: Int32Array; readonly args: Float64Array };

/** Words of the board. */
export const at = {
  /** Number of the newest call; threads without work wait on it. */
  call: 0,
  /** Whether the call may be joined. */
  open: 1,
  /** Threads beside the caller that are inside. */
  busy: 2,
  /** The first item that nobody has begun. */
  next: 3,
  items: 4,
  /** The export that is run, by its place among the exports. */
  entry: 5,
  /** Where the threads' scratch begins, and how far one thread's lies from the next one's. */
  scratch: 6,
  scratchStep: 7,
  /** Numbers in `args`. */
  count: 8,
  /** Whether items that nobody has begun are left out. */
  stop: 9,
  /** 0, or the thread that met an error. */
  fault: 10,
  /** Whether threads shall end. */
  quit: 11,
  /** For each thread, the last call that it has noticed. */
  noticed: 16,
} as const;

export const mostThreads = 64;
const argsOffset = /* @__PURE__ */ (() => 4 * (at.noticed + mostThreads))();
export const mostArgs = 48;

export function newBoard(): SharedArrayBuffer {
  return new SharedArrayBuffer(argsOffset + 8 * mostArgs);
}

export function readBoard(buffer: SharedArrayBuffer): Board {
  return {
    words: new Int32Array(buffer, 0, argsOffset / 4),
    args: new Float64Array(buffer, argsOffset, mostArgs),
  };
}
