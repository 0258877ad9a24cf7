/** Polls before sleeping: most waits end within microseconds. */
const maxSpins = 5000;

/**
 * Waits while `isWaiting` holds for a word of shared memory, at most `deadlineMs`. The main thread of a page may not block, so it polls.
 *
 * @returns True if the wait ended before the deadline.
 */
export function waitWhile(
  words: Int32Array,
  index: number,
  isWaiting: (value: number) => boolean,
  deadlineMs: number,
): boolean {
  for (let i = 0; i < maxSpins; i++) if (!isWaiting(Atomics.load(words, index))) return true;
  const end = performance.now() + deadlineMs;
  const sleeps = mayBlock();
  for (;;) {
    const value = Atomics.load(words, index);
    if (!isWaiting(value)) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    if (sleeps) Atomics.wait(words, index, value, left);
    else for (let i = 0; i < maxSpins && isWaiting(Atomics.load(words, index)); i++);
  }
}

/** Returns true if this thread may block on `Atomics.wait`. */
function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0);
    return true;
  } catch {
    return false;
  }
}
