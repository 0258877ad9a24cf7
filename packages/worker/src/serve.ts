import { checks } from "@qkv/core";
import type { HubClient } from "@qkv/transformer";
import { createBirpc } from "birpc";
import { Clients } from "./clients.js";
import { nodeThreads, type NodePort } from "./node-threads.js";
import { createPort, type Endpoint, type Port } from "./port.js";
import { protocolVersion, type ClientFunctions, type WorkerFunctions } from "./protocol.js";
import { captureResult } from "./sent-error.js";
import { transferables } from "./transferables.js";

declare const __VERSION__: string;

export type ServeOptions = {
  /** `@huggingface/hub`, for sources that name a repository. Default: imported on demand. */
  hub?: HubClient;
  /** The port of the clients. Default: the worker's own port, or all ports of a SharedWorker. */
  port?: MessagePort | NodePort;
};

/**
 * Serves models in this worker to `load` of `@qkv/worker`, for programs that bundle their own worker.
 *
 * @throws {ArgumentError} If this thread is not a worker, and no `port` is given.
 *
 * @example
 * ```ts
 * import { serve } from "@qkv/worker/serve";
 *
 * // In my-worker.ts. The page: load(source, { worker: new Worker(new URL("./my-worker.ts", import.meta.url), { type: "module" }) })
 * serve(); // => throws ArgumentError: `port`
 * ```
 */
export function serve(options?: ServeOptions): void {
  const check = checks("serve");
  const { hub, port } = check.options(options, ["hub", "port"]);
  const clients = new Clients(hub);
  const accept = (endpoint: Endpoint) => answer(createPort(endpoint), clients);
  const scope = globalThis as unknown as Worker & { WorkerGlobalScope?: unknown };
  const parent = nodeThreads()?.parentPort;
  if (port !== undefined) {
    check.each(
      { port },
      (value) => typeof (value as MessagePort | null)?.postMessage === "function",
      "a MessagePort",
    );
    accept(port);
  } else if (parent) {
    accept(parent);
  } else if ("onconnect" in scope) {
    scope.addEventListener("connect", (event) => accept((event as MessageEvent).ports[0]!));
  } else if (scope.WorkerGlobalScope !== undefined && "postMessage" in scope) {
    accept(scope);
  } else {
    check.refuse({
      argument: "port",
      received: port,
      expected: "the port of clients, since this thread is not a worker",
      fix: "call `serve` in the module of a worker.",
    });
  }
}

/** Answers the clients of a port. */
function answer(port: Port, clients: Clients): void {
  const portClients = new Set<string>();
  const functions: WorkerFunctions = {
    hello: (client, _protocolVersion, lock, isShared) =>
      captureResult(async () => {
        portClients.add(client);
        return {
          protocolVersion,
          version: __VERSION__,
          lock: await clients.register(client, lock, isShared),
        };
      }),
    load: (client, source, options) =>
      captureResult(() =>
        clients
          .session(client)
          .load(source, options, (progress) => rpc.$callEvent("progress", client, progress)),
      ),
    start: (client, work, prompt, options) =>
      captureResult(() => clients.session(client).start(work, prompt, options)),
    next: (client, work) => captureResult(() => clients.session(client).next(work)),
    embed: (client, work, texts, options) =>
      captureResult(() => clients.session(client).embed(work, texts, options)),
    end: (client, work) => captureResult(async () => clients.find(client)?.end(work)),
    memory: (client) => captureResult(() => clients.session(client).memory()),
    leave: (client) => captureResult(() => clients.leave(client)),
  };
  const listeners = new Map<unknown, () => void>();
  const rpc = createBirpc<ClientFunctions, WorkerFunctions, false>(functions, {
    post: (message) => port.post(message, transferables(message)),
    on: (f) => listeners.set(f, port.listen(f)),
    off: (f) => listeners.get(f)?.(),
    timeout: -1,
    proxify: false,
  });
  port.onEnd(() => {
    for (const client of portClients) void clients.leave(client);
  });
}
