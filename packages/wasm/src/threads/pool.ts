import { DeviceError } from "@qkv/core";
import type { Engine, Exports } from "../engine.js";
import type { WasmMemory } from "../memory.js";
import { singleThreadedEngine } from "./single-threaded-engine.js";
import { fields, maxArgs, createWorkQueue, viewWorkQueue, type WorkQueue } from "./work-queue.js";
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
  readonly shutdown: { quit(): void };
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
  const entryIndices = new Map(names.map((name, entryIndex) => [name, entryIndex]));
  const single = singleThreadedEngine(exports, memory);
  let workers: Thread[] = [];
  let failure: DeviceError | undefined;
  let queue: WorkQueue;
  // A thread may start slowly on a busy machine.
  const startDeadlineMs = Math.max(deadlineMs, 5000);
  let heartbeats = watchHeartbeats(threads, deadlineMs);
  const shutdown: { quit(): void } = { quit: () => undefined };

  const fail = (received: string, fix: string) =>
    (failure ??= new DeviceError({
      fn: "wasm",
      argument: "threads",
      received,
      expected: `workers that finish their part of a call at most ${deadlineMs} ms after the caller`,
      fix,
    }));

  async function start(): Promise<void> {
    const shared = createWorkQueue();
    const { words } = (queue = viewWorkQueue(shared));
    shutdown.quit = () => quit(words);
    const starts = await Promise.allSettled(
      Array.from({ length: threads - 1 }, (_, i) =>
        spawn(
          { module, memory: memory.memory, queue: shared, thread: i + 1 },
          workerUrl,
          startDeadlineMs,
          (why) => {
            // Workers of an earlier start have another queue.
            if (words === queue.words) fail(`a worker that died: ${why}`, restartHint);
          },
        ),
      ),
    );
    workers = starts.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const failed = starts.find((result) => result.status === "rejected");
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
    failure = undefined;
    heartbeats = watchHeartbeats(threads, deadlineMs);
    for (const thread of workers) thread.unref();
  }

  async function close(): Promise<void> {
    shutdown.quit();
    const old = workers;
    workers = [];
    await Promise.all(old.map((thread) => thread.terminate()));
    fail("a device that was closed", "make a new one, or call `await device.restart()`.");
  }

  function check(): void {
    if (failure) throw failure;
  }

  await start();
  return {
    exports,
    memory,
    threads,
    shutdown,
    check,
    close,
    async restart() {
      await close();
      await start();
    },
    parallel(entry, items, scratchBytes, ...args) {
      check();
      if (items <= 1) return single.parallel(entry, items, scratchBytes, ...args);
      const entryIndex = entryIndices.get(entry);
      if (entryIndex === undefined || args.length > maxArgs) {
        throw new RangeError(`no call of ${entry} with ${args.length} numbers`);
      }
      const step = Math.ceil(scratchBytes / 64) * 64;
      const scratch = step > 0 ? memory.allocate(threads * step) : 0;
      const { words } = queue;
      try {
        queue.args.set(args);
        words.set([0, items, entryIndex, scratch, step, args.length, 0, 0], fields.next);
        Atomics.store(words, fields.open, 1);
        Atomics.add(words, fields.call, 1);
        Atomics.notify(words, fields.call);
        try {
          runItems(queue, exports, names, 0);
        } catch (error) {
          Atomics.store(words, fields.stop, 1);
          throw error;
        } finally {
          Atomics.store(words, fields.open, 0);
          if (!waitWhile(words, fields.busy, (busy) => busy > 0, deadlineMs)) {
            fail(
              "a worker that died or did not finish in time",
              `${restartHint} If calls are that long, raise \`deadlineMs\`.`,
            );
          } else if (heartbeats.isOverdue(words)) {
            fail("a worker that died: it notices no calls", restartHint);
          } else if (words[fields.fault] !== 0) {
            fail(`an error in thread ${words[fields.fault]!} while it ran ${entry}`, restartHint);
          }
        }
        check();
        return words[fields.stop] === 0;
      } finally {
        if (step > 0) memory.free(scratch, threads * step);
      }
    },
  };
}

const restartHint = "call `await device.restart()`, then go on: tensors keep their numbers.";

function quit(words: Int32Array): void {
  Atomics.store(words, fields.quit, 1);
  Atomics.add(words, fields.call, 1);
  Atomics.notify(words, fields.call);
}
