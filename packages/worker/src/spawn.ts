import { checks, DeviceError } from "@qkv/core";
import { nodeThreads, type NodePort } from "./node-threads.js";
import { shareWorker } from "./shared-lock.js";
import { ownPort, createPort, type Port } from "./port.js";

/** The worker of a model: a new one, the one that all tabs of an origin share, or one that the program created. */
export type WorkerChoice = "dedicated" | "shared" | Worker | SharedWorker | MessagePort | NodePort;

declare const __filename: string | undefined;

/** The URL of this file, also in CommonJS, which has no `import.meta`. The worker's module is in the same folder. */
const moduleUrl = (): string =>
  typeof __filename === "string" ? new URL(`file:${__filename}`).href : import.meta.url;

/** Opens a channel to a worker. Closing it terminates a dedicated worker. */
export async function openPort(worker: WorkerChoice): Promise<Port> {
  if (worker === "dedicated") return dedicated();
  if (worker === "shared") return shared();
  const isEndpoint = (value: unknown) =>
    typeof (value as Worker | null)?.postMessage === "function" ||
    typeof (value as SharedWorker | null)?.port?.postMessage === "function";
  checks("load").each(
    { worker },
    isEndpoint,
    '"dedicated", "shared", a Worker, a SharedWorker or a MessagePort',
    "leave it out for a worker of its own.",
  );
  return createPort(worker);
}

function dedicated(): Port {
  const threads = nodeThreads();
  if (threads) {
    return ownPort(new threads.Worker(new URL("./model-worker.js", moduleUrl()), { execArgv: [] }));
  }
  if (typeof Worker === "undefined")
    throw missingFeature("Worker", "call `load` of @qkv/transformer instead.");
  return ownPort(pageWorker());
}

function pageWorker(): Worker {
  try {
    // Bundlers recognize this form, with `import.meta.url`.
    return new Worker(new URL("./model-worker.js", import.meta.url), { type: "module" });
  } catch {
    // The script of a worker must have the page's origin, but it may import from other origins, such as a CDN.
    const script = `import ${JSON.stringify(new URL("./model-worker.js", moduleUrl()).href)};`;
    return new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), {
      type: "module",
    });
  }
}

async function shared(): Promise<Port> {
  const fixWithDedicated = "leave it out: each page then has a worker of its own.";
  if (typeof SharedWorker === "undefined" || nodeThreads())
    throw missingFeature("SharedWorker", fixWithDedicated);
  // Without Web Locks the worker would not notice a closed tab, and would never free its model.
  if (!(navigator as Partial<Navigator>).locks)
    throw missingFeature("navigator.locks", `serve the page by https, or ${fixWithDedicated}`);
  const release = await shareWorker();
  const worker = new SharedWorker(new URL("./model-worker.js", import.meta.url), { type: "module" });
  const close = () => {
    worker.port.close();
    release?.();
  };
  return { ...createPort(worker), isShared: true, close };
}

const missingFeature = (name: string, fix: string): DeviceError =>
  new DeviceError({
    fn: "load",
    argument: "worker",
    received: `no \`${name}\``,
    expected: `an engine that has \`${name}\``,
    fix,
  });
