// Limits of the machine, measured in the same rounds as the contenders, with as many threads.

/** Orders of reading memory: the fastest differs between processors. */
const orders = [
  {},
  { streams: 2, block: 4096 },
  { streams: 4, block: 1024 },
  { streams: 4, block: 4096 },
  { streams: 8, block: 1024 },
];
/** Bytes are rounded to a multiple of this, so that every order can split them. */
const rotation = 16384;

/**
 * Arithmetic only.
 *
 * @param arithmetic - "mulAdd", "fused" or "dot".
 * @param figure - From operations per second to a figure of the row.
 */
export const arithmeticLimit = (arithmetic, figure) =>
  limit(arithmetics[arithmetic], () => [["arithmeticLoop", arithmetic]], figure);

/**
 * Reads of as many bytes as a call of the row reads, in the best of several orders. `figure`: from bytes per second to a
 * figure.
 */
export const readLimit = (bytes, figure) =>
  limit(
    "reading",
    (threads) => orders.map((order) => ["readLoop", share(bytes, threads, rotation), order]),
    figure,
  );

/** Reads of this many bytes, and writes of as many. `figure`: from bytes per second to a figure. */
export const copyLimit = (bytes, figure) =>
  limit("copying", (threads) => [["copyLoop", share(bytes, threads, 128)]], figure);

/** Threads split the bytes of a call. */
const share = (bytes, threads, step) => Math.ceil(bytes / threads / step) * step;

const arithmetics = {
  mulAdd: "products and sums",
  fused: "products and sums, fused",
  dot: "products of bytes",
};

/** @param loopsFor - From a number of threads to loops, `[name, ...arguments]`; the best one counts. */
function limit(name, loopsFor, figure) {
  return {
    name: `limit: ${name}`,
    kind: "limit",
    async prepare({ threads, browser }) {
      const loops = loopsFor(threads);
      const workers = await Promise.all(Array.from({ length: threads }, () => start(browser, loops)));
      return {
        threads,
        async measure() {
          let best = 0;
          for (const i of loops.keys()) {
            const rates = await Promise.all(workers.map((worker) => worker.rate(i)));
            best = Math.max(
              best,
              rates.reduce((sum, rate) => sum + rate),
            );
          }
          return figure(best);
        },
      };
    },
  };
}

async function start(browser, loops) {
  const worker = browser
    ? new globalThis.Worker("/limit-worker.js", { type: "module" })
    : new (await import("node:worker_threads")).Worker(new URL("limit-worker.mjs", import.meta.url));
  const request = (question) =>
    new Promise((resolve, reject) => {
      const take = ({ rate, error }) => (error === undefined ? resolve(rate) : reject(new Error(error)));
      if (browser) worker.onmessage = ({ data }) => take(data);
      else worker.once("message", take);
      worker.postMessage(question);
    });
  await request({ loops });
  return { rate: (i) => request({ rate: i }) };
}
