// What the machine allows, measured in the same turns as everything else, on as many threads.

/**
 * Nothing but arithmetic.
 *
 * @param arithmetic - "mulAdd", "fused" or "dot".
 * @param figure - From operations a second to a figure of the row.
 */
export const arithmeticLimit = (arithmetic, figure) =>
  limit(arithmetics[arithmetic], ["arithmeticLoop", arithmetic], figure);

/** Nothing but reading so many bytes, those that a call of the row reads. From bytes a second to a figure. */
export const readLimit = (bytes, figure) => limit("reading", ["readLoop", bytes], figure);

/** Nothing but reading so many bytes and writing as many. From bytes a second to a figure. */
export const copyLimit = (bytes, figure) => limit("copying", ["copyLoop", bytes], figure);

const arithmetics = {
  mulAdd: "products and sums",
  fused: "products and sums, fused",
  dot: "products of bytes",
};

function limit(name, [loop, argument], figure) {
  return {
    name: `limit: ${name}`,
    kind: "limit",
    async prepare({ threads, browser }) {
      // Threads share the bytes of a call.
      const share = typeof argument === "number" ? Math.ceil(argument / threads / 128) * 128 : argument;
      const workers = await Promise.all(Array.from({ length: threads }, () => start(browser, loop, share)));
      return {
        threads,
        async measure() {
          const rates = await Promise.all(workers.map((worker) => worker.rate()));
          return figure(rates.reduce((sum, rate) => sum + rate));
        },
      };
    },
  };
}

async function start(browser, loop, argument) {
  const worker = browser
    ? new globalThis.Worker("/limit-worker.js", { type: "module" })
    : new (await import("node:worker_threads")).Worker(new URL("limit-worker.mjs", import.meta.url));
  const ask = (question) =>
    new Promise((resolve, reject) => {
      const take = ({ rate, error }) => (error === undefined ? resolve(rate) : reject(new Error(error)));
      if (browser) worker.onmessage = ({ data }) => take(data);
      else worker.once("message", take);
      worker.postMessage(question);
    });
  await ask({ loop, argument });
  return { rate: () => ask("rate") };
}
