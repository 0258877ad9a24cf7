/** The part of node:worker_threads that is used here. */
export type NodeThreads = {
  parentPort: {
    postMessage(message: unknown): void;
    once(event: "message", f: (message: unknown) => void): void;
  } | null;
  Worker: new (url: URL, options: { execArgv: string[] }) => NodeWorker;
};

/** The part of its `Worker` that is used here. */
export type NodeWorker = {
  postMessage(message: unknown): void;
  on(event: "message" | "error" | "exit", f: (value: unknown) => void): void;
  unref(): void;
  terminate(): Promise<number>;
};

type NodeProcess = {
  getBuiltinModule?(name: "node:worker_threads"): NodeThreads;
  versions?: { node?: string };
};

/** The module node:worker_threads; undefined outside of Node. Loaded at run time, so that bundlers do not try to resolve it. */
export function nodeThreads(): NodeThreads | undefined {
  const { process } = globalThis as { process?: NodeProcess };
  return process?.versions?.node ? process.getBuiltinModule?.("node:worker_threads") : undefined;
}
