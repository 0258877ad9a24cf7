import type { NodeEnd, NodePort, NodeWorker } from "./node-threads.js";

/** One end of a channel between threads. */
export type Port = {
  /** True if this thread started the worker at the other end: closing the channel ends the worker. */
  readonly isOwn: boolean;
  /** True if the other end is a worker that all tabs share, which ends after the last of them. */
  readonly isShared: boolean;
  post(message: unknown, transfer: Transferable[]): void;
  /** Calls `f` with each message from now on, until the returned function is called. */
  listen(f: (message: unknown) => void): () => void;
  /** Calls `f` with the reason when the other end has ended. */
  onEnd(f: (reason: string) => void): void;
  /** In Node: keeps the process running while a result is awaited. */
  keepRunning(isAwaited: boolean): void;
  close(): void | Promise<void>;
};

/** A worker or a port, of the web or of Node. */
export type Endpoint = Worker | MessagePort | SharedWorker | NodePort | NodeEnd;

const noop = (): void => undefined;

/** A port for an endpoint that belongs to the caller: closing the port does not close the endpoint. */
export function createPort(endpoint: Endpoint): Port {
  const borrowed = { isOwn: false, isShared: false, keepRunning: noop, close: noop };
  if ("port" in endpoint) return { ...borrowed, ...webEnd(endpoint.port, endpoint) };
  // Node's message ports also have the methods of the web, which report fewer events.
  if ("on" in endpoint) return { ...borrowed, ...nodeEnd(endpoint as NodeEnd) };
  // Errors in this worker's own global scope are not errors of the other end.
  return { ...borrowed, ...webEnd(endpoint, (endpoint as object) === globalThis ? undefined : endpoint) };
}

/** A port for a worker that this program started: closing the port ends the worker. */
export function ownPort(worker: Worker | NodeWorker): Port {
  const port = { ...createPort(worker), isOwn: true };
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
