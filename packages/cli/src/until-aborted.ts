import type { Input } from "./io.js";

/** Wraps an input so that reading throws the signal's reason as soon as it aborts. */
export function untilAborted(input: Input, signal: AbortSignal): Input {
  return {
    ...(input.isTTY !== undefined && { isTTY: input.isTTY }),
    ...(input.isPiped !== undefined && { isPiped: input.isPiped }),
    async *[Symbol.asyncIterator]() {
      const chunks = input[Symbol.asyncIterator]();
      let stop = (): void => undefined;
      const aborted = new Promise<never>((_, reject) => {
        stop = () => reject(signal.reason as Error);
        signal.addEventListener("abort", stop);
      });
      aborted.catch(() => undefined);
      try {
        for (;;) {
          signal.throwIfAborted();
          const { done, value } = await Promise.race([chunks.next(), aborted]);
          if (done) return;
          yield value;
        }
      } finally {
        signal.removeEventListener("abort", stop);
        // Not awaited: it would wait for the pending read.
        void Promise.resolve(chunks.return?.()).catch(() => undefined);
      }
    },
  };
}
