import { fields } from "./work-queue.js";

/**
 * Detects workers that no longer wake up. A call never waits for a worker that has not joined it, so a dead worker would go
 * unnoticed while the program computes without a pause.
 */
export function watchHeartbeats(
  threads: number,
  deadlineMs: number,
): { isOverdue(words: Int32Array): boolean } {
  const lastHeartbeats = new Int32Array(threads);
  const overdueSince = new Float64Array(threads).fill(Infinity);
  return {
    /** Returns true at the end of a call if a worker has seen no call for longer than the deadline. */
    isOverdue(words) {
      const call = words[fields.call]!;
      for (let thread = 1; thread < threads; thread++) {
        const heartbeat = Atomics.load(words, fields.heartbeat + thread);
        if (heartbeat === call || heartbeat !== lastHeartbeats[thread]) overdueSince[thread] = Infinity;
        else if (overdueSince[thread] === Infinity) overdueSince[thread] = performance.now();
        else if (performance.now() - overdueSince[thread]! > deadlineMs) return true;
        lastHeartbeats[thread] = heartbeat;
      }
      return false;
    },
  };
}
