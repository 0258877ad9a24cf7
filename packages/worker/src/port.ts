import type { NodeEnd, NodePort, NodeWorker } from "./node-threads.js";

/** One end of a channel between threads. */
export type Port = {
  /** True if the other end is a worker that nobody else has: it ends when the channel is closed. */
  readonly isOwn: boolean;
  /** True if the other end is the worker that all tabs share, which ends when they have left. */
  readonly isShared: boolean;
  post(message: unknown, transfer: Transferable[]): void;
  /** Calls `f` with each message from now on, until the returned function is called. */
  listen(f: (message: unknown) => void): () => void;
  /** Calls `f` with the reason when the other end is known to be gone. */
  onEnd(f: (why: string) => void): void;
  /** In Node: a worker that nobody awaits does not keep the process running. */
  keepRunning(isAwaited: boolean): void;
  close(): void | Promise<void>;
};

/** A worker or a port, of the web or of Node. */
export type Endpoint = Worker | MessagePort | SharedWorker | NodePort | NodeEnd;

const nothing = (): void => undefined;

/** A port for any of the kinds of ends, which is left open when it is closed: it belongs to others. */
export function portOf(endpoint: Endpoint): Port {
  const others = { isOwn: false, isShared: false, keepRunning: nothing, close: nothing };
  if ("port" in endpoint) return { ...others, ...webEnd(endpoint.port, endpoint) };
  // Node's message ports have the methods of the web as well, which hear less.
  if ("on" in endpoint) return { ...others, ...nodeEnd(endpoint as NodeEnd) };
  // Errors at the own scope of a worker tell nothing of the other end.
  return { ...others, ...webEnd(endpoint, (endpoint as object) === globalThis ? undefined : endpoint) };
}

/** A port for a worker of the program's own, which ends with it. */
export function ownPort(worker: Worker | NodeWorker): Port {
  const port = { ...portOf(worker), isOwn: true };
  if (!("on" in worker)) return { ...port, close: () => worker.terminate() };
  return {
    ...port,
    keepRunning: (isAwaited) => (isAwaited ? worker.ref() : worker.unref()),
    async close() {
      worker.ref();
      await worker.terminate();
    },
  };
}

type End = Pick<Port, "post" | "listen" | "onEnd">;

function nodeEnd(end: NodeEnd): End {
  return {
    post: (message, transfer) => end.postMessage(message, transfer),
    listen(f) {
      end.on("message", f);
      return () => void end.off("message", f);
    },
    onEnd(f) {
      end.on("error", (error) => f(`one that met an error (${String(error)})`));
      end.on("exit", (code) => f(`one that ended with code ${String(code)}`));
      end.on("close", () => f("a port whose other end was closed"));
    },
  };
}

/** @param worker - Reports errors of the other end. */
function webEnd(end: Worker | MessagePort, worker: EventTarget | undefined): End {
  return {
    post: (message, transfer) => end.postMessage(message, transfer),
    listen(f) {
      const listener = (event: Event) => f((event as MessageEvent).data);
      end.addEventListener("message", listener);
      if ("start" in end) end.start();
      return () => end.removeEventListener("message", listener);
    },
    onEnd(f) {
      worker?.addEventListener("error", (event) => {
        const { message } = event as ErrorEvent;
        f(message ? `one that met an error (${message})` : "one whose code could not be loaded");
      });
      end.addEventListener("close", () => f("a port whose other end was closed"));
    },
  };
}
