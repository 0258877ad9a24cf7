import { at } from "./work-queue.js";

/**
 * Detects workers that no longer wake up. A call never waits for a worker that has not joined it, so a dead worker would go
 * unnoticed while the program computes without a pause.
 */
export function watchHeartbeats(
  threads: number,
  deadlineMs: number,
): { isOverdue(words: Int32Array): boolean } {
  const noticed = new Int32Array(threads);
  const since = new Float64Array(threads).fill(Infinity);
  return {
    /** Returns true at the end of a call if a worker has seen no call for longer than the deadline. */
    isOverdue(words) {
      const call = words[at.call]!;
      for (let thread = 1; thread < threads; thread++) {
        const latest = Atomics.load(words, at.heartbeat + thread);
        if (latest === call || latest !== noticed[thread]) since[thread] = Infinity;
        else if (since[thread] === Infinity) since[thread] = performance.now();
        else if (performance.now() - since[thread]! > deadlineMs) return true;
        noticed[thread] = latest;
      }
      return false;
    },
  };
}
