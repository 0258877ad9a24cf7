// Runs one contender of one row, in a process or a page: prepares it, returns its output, times it.
import { clockOf } from "./clock.mjs";

/** Minimum time of the calls of a round, and the compiler's warm-up time. Milliseconds. */
const [slice, warming] = [60, 200];

/**
 * @param name - Name of a contender, or "expected" for the row's own computation.
 * @returns {any} An opened contender, as measure.mjs describes it.
 */
export function runnerOf(row, name, context) {
  const contender =
    name === "expected"
      ? { prepare: () => ({ output: () => row.expected(context) }) }
      : row.contenders.find((each) => each.name === name);
  const now = clockOf(context);
  let ready;
  let warm = false;
  return {
    async prepare() {
      ready = await contender.prepare(context);
      const { threads = 1, measure, note } = ready;
      return { threads, measures: measure !== undefined, ...(note && { note }) };
    },
    output: async () => plainValues(await ready.output?.()),
    async figure() {
      if (ready.measure) return ready.measure();
      if (!warm) {
        warm = true;
        const each = await calls(ready.call, warming, now);
        if (each > warming) return each; // one call took longer than the warm-up
      }
      return calls(ready.call, slice, now);
    },
    close: async () => ready?.close?.(),
  };
}

/**
 * Converts an output for the process that compares: numbers and texts are unchanged, other values, which are wrong,
 * become text.
 */
function plainValues(output) {
  if (!Array.isArray(output)) return output;
  const plain = (value) => ["number", "bigint", "string", "boolean"].includes(typeof value);
  return output.every(plain)
    ? output
    : output.map((value) => (plain(value) ? value : `${typeof value} ${value}`));
}

/** Calls repeatedly for this many milliseconds, at least once. Returns the milliseconds of one call. */
async function calls(call, milliseconds, now) {
  const start = now();
  let count = 0;
  let passed;
  do {
    const result = call();
    // An await costs microseconds, so only asynchronous contenders have it.
    if (typeof result?.then === "function") await result;
    count += 1;
    passed = now() - start;
  } while (passed < milliseconds);
  return passed / count;
}
