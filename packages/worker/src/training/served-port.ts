import type { Checks } from "@qkv/core";
import { nodeThreads, type NodePort } from "../node-threads.js";
import { createPort, type Endpoint, type Port } from "../port.js";

/** The port on which a worker answers: the given one, or that of the worker itself. @param opener - The function at the other end, for errors. */
export function servedPort(check: Checks, port: MessagePort | NodePort | undefined, opener: string): Port {
  if (port) return createPort(port as Endpoint);
  const scope = globalThis as { WorkerGlobalScope?: unknown };
  const selfPort = nodeThreads()?.parentPort ?? (scope.WorkerGlobalScope === undefined ? undefined : scope);
  if (selfPort) return createPort(selfPort as unknown as Endpoint);
  return check.refuse({
    argument: "port",
    received: port,
    expected: `the port of \`${opener}\`, since this thread is not a worker`,
    fix: `call \`${check.fn}\` in the module of a worker.`,
  });
}
