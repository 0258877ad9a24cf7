import { checks, DeviceError } from "@qkv/core";
import { nodeThreads, type NodePort } from "./node-threads.js";
import { shareWorker } from "./shared-lock.js";
import { ownPort, portOf, type Port } from "./port.js";

/** A worker for a model: one of its own, one that all tabs of an origin share, or one that the program made. */
export type WorkerChoice = "dedicated" | "shared" | Worker | SharedWorker | MessagePort | NodePort;

declare const __filename: string | undefined;

/** The address of this file: in CommonJS, which has no `import.meta`, too. Node reads the worker beside it. */
const here = (): string =>
  typeof __filename === "string" ? new URL(`file:${__filename}`).href : import.meta.url;

/** Opens a channel to a worker. Closing it ends a worker that is the model's own. */
export async function openPort(worker: WorkerChoice): Promise<Port> {
  if (worker === "dedicated") return dedicated();
  if (worker === "shared") return shared();
  const isEndpoint = (one: unknown) =>
    typeof (one as Worker | null)?.postMessage === "function" ||
    typeof (one as SharedWorker | null)?.port?.postMessage === "function";
  checks("load").each(
    { worker },
    isEndpoint,
    '"dedicated", "shared", a Worker, a SharedWorker or a MessagePort',
    "leave it out for a worker of its own.",
  );
  return portOf(worker);
}

function dedicated(): Port {
  const threads = nodeThreads();
  if (threads) {
    return ownPort(new threads.Worker(new URL("./model-worker.js", here()), { execArgv: [] }));
  }
  if (typeof Worker === "undefined") throw missing("Worker", "call `load` of @qkv/transformer instead.");
  return ownPort(pageWorker());
}

function pageWorker(): Worker {
  try {
    return new Worker(new URL("./model-worker.js", import.meta.url), { type: "module" });
  } catch {
    // The script of a worker has to be of the page's origin; what it imports may come from elsewhere, such as a CDN.
    const script = `import ${JSON.stringify(new URL("./model-worker.js", here()).href)};`;
    return new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), {
      type: "module",
    });
  }
}

async function shared(): Promise<Port> {
  const own = "leave it out: each page then has a worker of its own.";
  if (typeof SharedWorker === "undefined" || nodeThreads()) throw missing("SharedWorker", own);
  // Without them nobody would know that a tab was closed, and its model would stay.
  if (!(navigator as Partial<Navigator>).locks)
    throw missing("navigator.locks", `serve the page by https, or ${own}`);
  const release = await shareWorker();
  const worker = new SharedWorker(new URL("./model-worker.js", import.meta.url), { type: "module" });
  const close = () => {
    worker.port.close();
    release?.();
  };
  return { ...portOf(worker), isShared: true, close };
}

const missing = (name: string, fix: string): DeviceError =>
  new DeviceError({
    fn: "load",
    argument: "worker",
    received: `no \`${name}\``,
    expected: `an engine that has \`${name}\``,
    fix,
  });
