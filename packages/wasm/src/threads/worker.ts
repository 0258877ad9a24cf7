/** The program of a worker: it instantiates the kernels over the shared memory, says so, and works until told to end. */
import type { Exports } from "../engine.js";
import { at, viewWorkQueue, type WorkQueue } from "./work-queue.js";
import { nodeThreads } from "./node-threads.js";
import { runItems } from "./run-items.js";

export type WorkerStart = {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  queue: SharedArrayBuffer;
  /** Its number among the threads; the caller is 0. */
  thread: number;
};

/** Spins before a thread sleeps: calls often follow each other closely. */
const patience = 20_000;

/** Joins call after call. */
function serve(queue: WorkQueue, exports: Exports, thread: number): void {
  const { words } = queue;
  const names = Object.keys(exports);
  let seen = 0;
  while (Atomics.load(words, at.quit) === 0) {
    for (let i = 0; i < patience && Atomics.load(words, at.call) === seen; i++);
    Atomics.wait(words, at.call, seen);
    seen = Atomics.load(words, at.call);
    Atomics.store(words, at.heartbeat + thread, seen);
    Atomics.add(words, at.busy, 1);
    // Who is counted as busy before the call is closed is waited for; who comes after it must not touch anything.
    if (Atomics.load(words, at.open) === 1) {
      try {
        runItems(queue, exports, names, thread);
      } catch {
        Atomics.store(words, at.stop, 1);
        Atomics.store(words, at.fault, thread);
      }
    }
    Atomics.sub(words, at.busy, 1);
    Atomics.notify(words, at.busy);
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
