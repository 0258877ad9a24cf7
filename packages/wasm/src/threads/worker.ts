/** The program of a worker: it instantiates the kernels with the shared memory, reports that it is ready, and serves calls until it must end. */
import type { Exports } from "../engine.js";
import { fields, viewWorkQueue, type WorkQueue } from "./work-queue.js";
import { nodeThreads } from "./node-threads.js";
import { runItems } from "./run-items.js";

export type WorkerStart = {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  queue: SharedArrayBuffer;
  /** Number of the thread; the caller's is 0. */
  thread: number;
};

/** Polls before a thread sleeps: calls often follow each other closely. */
const maxSpins = 20_000;

/** Works on one call after the other. */
function serve(queue: WorkQueue, exports: Exports, thread: number): void {
  const { words } = queue;
  const names = Object.keys(exports);
  let seen = 0;
  while (Atomics.load(words, fields.quit) === 0) {
    for (let i = 0; i < maxSpins && Atomics.load(words, fields.call) === seen; i++);
    Atomics.wait(words, fields.call, seen);
    seen = Atomics.load(words, fields.call);
    Atomics.store(words, fields.heartbeat + thread, seen);
    Atomics.add(words, fields.busy, 1);
    // The caller waits for threads that are busy when it closes the call. A thread that finds it closed must not touch anything.
    if (Atomics.load(words, fields.open) === 1) {
      try {
        runItems(queue, exports, names, thread);
      } catch {
        Atomics.store(words, fields.stop, 1);
        Atomics.store(words, fields.fault, thread);
      }
    }
    Atomics.sub(words, fields.busy, 1);
    Atomics.notify(words, fields.busy);
  }
}

function begin({ module, memory, queue, thread }: WorkerStart, ready: () => void): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  ready();
  serve(viewWorkQueue(queue), exports as unknown as Exports, thread);
}

const port = nodeThreads()?.parentPort;
if (port) port.once("message", (start) => begin(start as WorkerStart, () => port.postMessage("ready")));
else self.onmessage = ({ data }) => begin(data as WorkerStart, () => self.postMessage("ready"));
