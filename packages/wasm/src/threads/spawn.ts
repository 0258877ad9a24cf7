import { source } from "../binaries/worker.js";
import { nodeThreads } from "./node-threads.js";
import type { WorkerStart } from "./worker.js";

/** A worker that is ready to join calls. */
export type Thread = {
  /** Terminates it, even while it computes. */
  terminate(): Promise<void>;
  /** Allows a Node process to exit while the worker waits. */
  unref(): void;
};

/**
 * Starts a worker and waits until it has instantiated the kernels. Its code is bundled as a string, so that no file has to be
 * resolved or served: it becomes a `data:` URL in Node, and a `blob:` URL in a page, which a content security policy must allow in
 * `worker-src`.
 *
 * @param url - URL of the worker's code, for pages that forbid `blob:` URLs.
 * @param deadlineMs - Time to wait for it, in milliseconds.
 * @param died - Called when the worker ends unexpectedly, at the latest when the caller returns to the event loop.
 */
export function spawn(
  start: WorkerStart,
  url: string | URL | undefined,
  deadlineMs: number,
  died: (why: string) => void,
): Promise<Thread> {
  const threads = nodeThreads();
  return new Promise((resolve, reject) => {
    let asked = false;
    const end = (why: string) => {
      clearTimeout(late);
      reject(new Error(why));
      if (!asked) died(why);
    };
    const ready = (thread: Thread) => {
      clearTimeout(late);
      resolve(thread);
    };
    const tooLate = (thread: Thread) => () => {
      end(`it was not ready after ${deadlineMs} ms`);
      void thread.terminate();
    };
    let late: ReturnType<typeof setTimeout> | undefined;
    if (threads) {
      const from = url ?? `data:text/javascript,${encodeURIComponent(source)}`;
      const worker = new threads.Worker(new URL(from), { execArgv: [] });
      const thread: Thread = {
        unref: () => worker.unref(),
        async terminate() {
          asked = true;
          await worker.terminate();
        },
      };
      late = setTimeout(tooLate(thread), deadlineMs);
      worker.on("message", () => ready(thread));
      worker.on("error", (error) => end(`it met an error (${String(error)})`));
      worker.on("exit", (code) => end(`it ended with code ${String(code)}`));
      worker.postMessage(start);
    } else {
      const blob = url ?? URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(blob);
      const forget = () => {
        if (url === undefined) URL.revokeObjectURL(blob as string);
      };
      const thread: Thread = {
        unref: () => undefined,
        async terminate() {
          asked = true;
          worker.terminate();
        },
      };
      late = setTimeout(tooLate(thread), deadlineMs);
      worker.onmessage = () => {
        forget();
        ready(thread);
      };
      worker.onerror = ({ message }) => {
        forget();
        end(message ? `it met an error (${message})` : "its code could not be loaded");
      };
      worker.postMessage(start);
    }
  });
}
