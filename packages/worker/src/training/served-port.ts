import type { Checks } from "@qkv/core";
import { nodeThreads, type NodePort } from "../node-threads.js";
import { portOf, type Endpoint, type Port } from "../port.js";

/** The port on which a worker answers: the one given, or its own. @param asker - The function that writes to it, for errors. */
export function servedPort(check: Checks, port: MessagePort | NodePort | undefined, asker: string): Port {
  if (port) return portOf(port as Endpoint);
  const scope = globalThis as { WorkerGlobalScope?: unknown };
  const own = nodeThreads()?.parentPort ?? (scope.WorkerGlobalScope === undefined ? undefined : scope);
  if (own) return portOf(own as unknown as Endpoint);
  return check.refuse({
    argument: "port",
    received: port,
    expected: `the port of \`${asker}\`, since this is no worker`,
    fix: `call \`${check.fn}\` in the module of a worker.`,
  });
}
