import { threads } from "wasm-feature-detect";
import { nodeThreads } from "./node-threads.js";

/** Reason why workers cannot share memory here; undefined if they can. */
export async function whyNoThreads(): Promise<string | undefined> {
  const { process, crossOriginIsolated, Worker } = globalThis as unknown as HostGlobals;
  if (process?.versions?.node) {
    return nodeThreads() ? undefined : "this Node is older than 20.16, which threads need";
  }
  if (crossOriginIsolated === false) {
    return (
      "this page is not cross-origin isolated: serve it with the headers " +
      "`Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`"
    );
  }
  if (!Worker) return "there are no workers here";
  return (await threads()) ? undefined : "this engine has no WebAssembly threads";
}

/** Number of cores of the machine, at most 16: beyond, memory bandwidth is the limit. */
export function cores(): number {
  const { process, navigator } = globalThis as unknown as HostGlobals;
  const count =
    navigator?.hardwareConcurrency ?? process?.getBuiltinModule?.("node:os").availableParallelism() ?? 1;
  return Math.max(1, Math.min(16, count));
}

type HostGlobals = {
  process?: {
    versions?: { node?: string };
    getBuiltinModule?(name: "node:os"): { availableParallelism(): number };
  };
  navigator?: { hardwareConcurrency?: number };
  crossOriginIsolated?: boolean;
  Worker?: unknown;
};
