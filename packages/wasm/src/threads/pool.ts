import { DeviceError } from "@qkv/core";
import type { Engine, Exports } from "../engine.js";
import type { WasmMemory } from "../memory.js";
import { singleThreadedEngine } from "./single-threaded-engine.js";
import { at, maxArgs, createWorkQueue, viewWorkQueue, type WorkQueue } from "./work-queue.js";
import { spawn, type Thread } from "./spawn.js";
import { watchHeartbeats } from "./heartbeat.js";
import { waitWhile } from "./wait-while.js";
import { runItems } from "./run-items.js";

export type Pool = Engine & {
  /** Throws if a thread failed or the pool is closed. */
  check(): void;
  /** Terminates all threads and starts new ones. */
  restart(): Promise<void>;
  /** Terminates all threads. The pool refuses work until it is restarted. */
  close(): Promise<void>;
  /** Ends the threads when the pool was garbage-collected: it must not reference the pool. */
  readonly ending: { quit(): void };
};

export type PoolOptions = {
  module: WebAssembly.Module;
  exports: Exports;
  memory: WasmMemory;
  /** Number of threads, including the caller's: 2 or more. */
  threads: number;
  /** Milliseconds that the caller waits for other threads after its own work is done. */
  deadlineMs: number;
  workerUrl: string | URL | undefined;
};

/**
 * Starts an engine whose work items are shared by workers and the caller. All workers have started when the promise resolves.
 *
 * @throws {DeviceError} If a worker cannot start; the others are terminated.
 */
export async function startPool(options: PoolOptions): Promise<Pool> {
  const { module, exports, memory, threads, deadlineMs, workerUrl } = options;
  const names = Object.keys(exports);
  const places = new Map(names.map((name, place) => [name, place]));
  const single = singleThreadedEngine(exports, memory);
  let workers: Thread[] = [];
  let refused: DeviceError | undefined;
  let queue: WorkQueue;
  // A thread may start slowly on a busy machine.
  const startDeadlineMs = Math.max(deadlineMs, 5000);
  let heartbeats = watchHeartbeats(threads, deadlineMs);
  const ending: { quit(): void } = { quit: () => undefined };

  const refuse = (received: string, fix: string) =>
    (refused ??= new DeviceError({
      fn: "wasm",
      argument: "threads",
      received,
      expected: `workers that finish their part of a call at most ${deadlineMs} ms after the caller`,
      fix,
    }));

  async function start(): Promise<void> {
    const shared = createWorkQueue();
    const { words } = (queue = viewWorkQueue(shared));
    ending.quit = () => quit(words);
    const begun = await Promise.allSettled(
      Array.from({ length: threads - 1 }, (_, i) =>
        spawn(
          { module, memory: memory.memory, queue: shared, thread: i + 1 },
          workerUrl,
          startDeadlineMs,
          (why) => {
            if (words === queue.words) refuse(`a worker that died: ${why}`, again);
          },
        ),
      ),
    );
    workers = begun.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const failed = begun.find((each) => each.status === "rejected");
    if (failed) {
      await close();
      throw new DeviceError({
        fn: "wasm",
        argument: "threads",
        received: `a worker that did not start: ${(failed.reason as Error).message}`,
        expected: `${threads - 1} workers`,
        fix: "allow workers from `blob:` in the content security policy, or give `wasmFrom` the address of the worker.",
      });
    }
    refused = undefined;
    heartbeats = watchHeartbeats(threads, deadlineMs);
    for (const thread of workers) thread.unref();
  }

  async function close(): Promise<void> {
    ending.quit();
    const old = workers;
    workers = [];
    await Promise.all(old.map((thread) => thread.terminate()));
    refuse("a device that was closed", "make a new one, or call `await device.restart()`.");
  }

  function check(): void {
    if (refused) throw refused;
  }

  await start();
  return {
    exports,
    memory,
    threads,
    ending,
    check,
    close,
    async restart() {
      await close();
      await start();
    },
    parallel(entry, items, scratchBytes, ...args) {
      check();
      if (items <= 1) return single.parallel(entry, items, scratchBytes, ...args);
      const place = places.get(entry);
      if (place === undefined || args.length > maxArgs) {
        throw new RangeError(`no call of ${entry} with ${args.length} numbers`);
      }
      const step = Math.ceil(scratchBytes / 64) * 64;
      const scratch = step > 0 ? memory.allocate(threads * step) : 0;
      const { words } = queue;
      try {
        queue.args.set(args);
        words.set([0, items, place, scratch, step, args.length, 0, 0], at.next);
        Atomics.store(words, at.open, 1);
        Atomics.add(words, at.call, 1);
        Atomics.notify(words, at.call);
        try {
          runItems(queue, exports, names, 0);
        } catch (error) {
          Atomics.store(words, at.stop, 1);
          throw error;
        } finally {
          Atomics.store(words, at.open, 0);
          if (!waitWhile(words, at.busy, (busy) => busy > 0, deadlineMs)) {
            refuse(
              "a worker that died or did not finish in time",
              `${again} If calls are that long, raise \`deadlineMs\`.`,
            );
          } else if (heartbeats.isOverdue(words)) {
            refuse("a worker that died: it notices no calls", again);
          } else if (words[at.fault] !== 0) {
            refuse(`an error in thread ${words[at.fault]!} while it ran ${entry}`, again);
          }
        }
        check();
        return words[at.stop] === 0;
      } finally {
        if (step > 0) memory.free(scratch, threads * step);
      }
    },
  };
}

const again = "call `await device.restart()`, then go on: tensors keep their numbers.";

function quit(words: Int32Array): void {
  Atomics.store(words, at.quit, 1);
  Atomics.add(words, at.call, 1);
  Atomics.notify(words, at.call);
}
