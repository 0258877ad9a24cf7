// One contender of one row, wherever it runs: prepares it, says what it gives, times it.
import { clockOf } from "./clock.mjs";

/** Least time of the calls of one round, and time of warm-up for the compiler. Milliseconds. */
const [slice, warming] = [60, 200];

/**
 * @param name - Of a contender, or "expected" for what the row itself computes.
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
        if (each > warming) return each; // one call took longer than compilers do
      }
      return calls(ready.call, slice, now);
    },
    close: async () => ready?.close?.(),
  };
}

/** Numbers and texts as they are; what is neither can be wrong, yet has to reach the process that compares: as a text. */
function plainValues(output) {
  if (!Array.isArray(output)) return output;
  const plain = (value) => ["number", "bigint", "string", "boolean"].includes(typeof value);
  return output.every(plain)
    ? output
    : output.map((value) => (plain(value) ? value : `${typeof value} ${value}`));
}

/** Calls for so many milliseconds, once at least. Returns milliseconds of one call. */
async function calls(call, milliseconds, now) {
  const start = now();
  let count = 0;
  let passed;
  do {
    const result = call();
    // A wait costs microseconds, which only those pay that need it.
    if (typeof result?.then === "function") await result;
    count += 1;
    passed = now() - start;
  } while (passed < milliseconds);
  return passed / count;
}
