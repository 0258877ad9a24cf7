// Coverage of our code, from V8's precise coverage: the mutator keeps inputs that reach new code.
import { Session } from "node:inspector";

/** Intersection of two sorted lists of intervals `[start, end]`. */
function both(a, b) {
  const out = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; a[i][1] < b[j][1] ? i++ : j++) {
    const [start, end] = [Math.max(a[i][0], b[j][0]), Math.min(a[i][1], b[j][1])];
    if (start < end) out.push([start, end]);
  }
  return out;
}

const length = (intervals) => intervals.reduce((sum, [start, end]) => sum + end - start, 0);

/**
 * Records the coverage of scripts whose URL `mine` accepts.
 *
 * @param {(url: string) => boolean} mine
 */
export function watchReached(mine) {
  const session = new Session();
  session.connect();
  const post = (method, options) => {
    let result;
    session.post(method, options, (error, answer) => {
      if (error) throw error;
      result = answer; // a session within the same process answers synchronously
    });
    return result;
  };
  post("Profiler.enable");
  post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  /** Ranges that no input has reached yet, by function. */
  const missed = new Map();
  return {
    /** Coverage since the last call: for each function that ran, its ranges that did not. */
    take() {
      const ran = new Map();
      for (const { scriptId, url, functions } of post("Profiler.takePreciseCoverage").result) {
        if (!mine(url)) continue;
        for (const { ranges } of functions) {
          const [{ startOffset, endOffset, count }] = ranges;
          if (count === 0) continue;
          const without = ranges.filter((range) => range.count === 0);
          const key = `${scriptId} ${startOffset} ${endOffset}`;
          ran.set(
            key,
            without.map((range) => [range.startOffset, range.endOffset]).sort(([a], [b]) => a - b),
          );
        }
      }
      return ran;
    },
    /** True if the coverage has a range that was never reached before. */
    isNew(ran) {
      for (const [key, without] of ran) {
        const known = missed.get(key);
        if (!known || length(both(known, without)) < length(known)) return true;
      }
      return false;
    },
    /** Marks the ranges of a coverage as reached. */
    keep(ran) {
      for (const [key, without] of ran) {
        const known = missed.get(key);
        missed.set(key, known ? both(known, without) : without);
      }
    },
    stop() {
      post("Profiler.stopPreciseCoverage");
      session.disconnect();
    },
  };
}
