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
  onDeath: (why: string) => void,
): Promise<Thread> {
  const threads = nodeThreads();
  return new Promise((resolve, reject) => {
    let isTerminating = false;
    const end = (why: string) => {
      clearTimeout(timeout);
      reject(new Error(why));
      if (!isTerminating) onDeath(why);
    };
    const ready = (thread: Thread) => {
      clearTimeout(timeout);
      resolve(thread);
    };
    const onTimeout = (thread: Thread) => () => {
      end(`it was not ready after ${deadlineMs} ms`);
      void thread.terminate();
    };
    let timeout: ReturnType<typeof setTimeout> | undefined;
    if (threads) {
      const from = url ?? `data:text/javascript,${encodeURIComponent(source)}`;
      const worker = new threads.Worker(new URL(from), { execArgv: [] });
      const thread: Thread = {
        unref: () => worker.unref(),
        async terminate() {
          isTerminating = true;
          await worker.terminate();
        },
      };
      timeout = setTimeout(onTimeout(thread), deadlineMs);
      worker.on("message", () => ready(thread));
      worker.on("error", (error) => end(`it met an error (${String(error)})`));
      worker.on("exit", (code) => end(`it ended with code ${String(code)}`));
      worker.postMessage(start);
    } else {
      const blob = url ?? URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(blob);
      const revokeUrl = () => {
        if (url === undefined) URL.revokeObjectURL(blob as string);
      };
      const thread: Thread = {
        unref: () => undefined,
        async terminate() {
          isTerminating = true;
          worker.terminate();
        },
      };
      timeout = setTimeout(onTimeout(thread), deadlineMs);
      worker.onmessage = () => {
        revokeUrl();
        ready(thread);
      };
      worker.onerror = ({ message }) => {
        revokeUrl();
        end(message ? `it met an error (${message})` : "its code could not be loaded");
      };
      worker.postMessage(start);
    }
  });
}
