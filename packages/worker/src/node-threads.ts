/** A Worker or MessagePort of `node:worker_threads`, whose types are not available in a page. */
export type NodePort = {
  readonly postMessage: (...message: never[]) => void;
  readonly on: (...event: never[]) => unknown;
  readonly off: (...event: never[]) => unknown;
};

/** The members of a {@link NodePort} that are used here. */
export type NodeEnd = {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  on(event: "message" | "error" | "exit" | "close", f: (value: unknown) => void): unknown;
  off(event: "message", f: (value: unknown) => void): unknown;
};

/** A worker thread that this program started. */
export type NodeWorker = NodeEnd & { terminate(): Promise<number>; ref(): void; unref(): void };

type NodeThreads = {
  readonly parentPort: NodeEnd | null;
  readonly Worker: new (url: URL, options: { execArgv: string[] }) => NodeWorker;
};

/** `node:worker_threads`, if this is Node. Looked up at run time, so that bundlers have nothing to resolve. */
export function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as {
    process?: { versions?: { node?: string }; getBuiltinModule?(id: string): NodeThreads | undefined };
  };
  return process?.versions?.node ? process.getBuiltinModule?.("node:worker_threads") : undefined;
}
