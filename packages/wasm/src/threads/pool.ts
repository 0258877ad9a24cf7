import { DeviceError } from "@qkv/core";
import type { Engine, Exports } from "../engine.js";
import type { WasmMemory } from "../memory.js";
import { alone } from "./alone.js";
import { at, mostArgs, newBoard, readBoard, type Board } from "./board.js";
import { spawn, type Thread } from "./spawn.js";
import { watchSilence } from "./watch-silence.js";
import { waitWhile } from "./wait-while.js";
import { work } from "./work.js";

export type Pool = Engine & {
  /** Throws what happened if the threads cannot be trusted any more. */
  check(): void;
  /** Ends all threads and starts new ones. */
  restart(): Promise<void>;
  /** Ends all threads. The pool cannot be used any more, unless it is restarted. */
  close(): Promise<void>;
  /** What is needed to end the threads of a pool that nobody holds any more. */
  readonly ending: { quit(): void };
};

export type PoolOptions = {
  module: WebAssembly.Module;
  exports: Exports;
  memory: WasmMemory;
  /** Threads, the caller among them: 2 or more. */
  threads: number;
  /** How long the caller waits for the others when it has nothing left to do itself. */
  deadlineMs: number;
  workerUrl: string | URL | undefined;
};

/**
 * An engine whose items are shared by workers and the caller. All workers have started when the promise resolves.
 *
 * @throws {DeviceError} If a worker cannot start; those that could are ended.
 */
export async function startPool(options: PoolOptions): Promise<Pool> {
  const { module, exports, memory, threads, deadlineMs, workerUrl } = options;
  const names = Object.keys(exports);
  const places = new Map(names.map((name, place) => [name, place]));
  const single = alone(exports, memory);
  let crew: Thread[] = [];
  let refused: DeviceError | undefined;
  let board: Board;
  // A busy machine takes its time to start a thread.
  const patience = Math.max(deadlineMs, 5000);
  let silence = watchSilence(threads, deadlineMs);
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
    const shared = newBoard();
    const { words } = (board = readBoard(shared));
    ending.quit = () => quit(words);
    const begun = await Promise.allSettled(
      Array.from({ length: threads - 1 }, (_, i) =>
        spawn({ module, memory: memory.memory, board: shared, thread: i + 1 }, workerUrl, patience, (why) => {
          if (words === board.words) refuse(`a worker that died: ${why}`, again);
        }),
      ),
    );
    crew = begun.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
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
    silence = watchSilence(threads, deadlineMs);
    for (const thread of crew) thread.unref();
  }

  async function close(): Promise<void> {
    ending.quit();
    const old = crew;
    crew = [];
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
      if (place === undefined || args.length > mostArgs) {
        throw new RangeError(`no call of ${entry} with ${args.length} numbers`);
      }
      const step = Math.ceil(scratchBytes / 64) * 64;
      const scratch = step > 0 ? memory.take(threads * step) : 0;
      const { words } = board;
      try {
        board.args.set(args);
        words.set([0, items, place, scratch, step, args.length, 0, 0], at.next);
        Atomics.store(words, at.open, 1);
        Atomics.add(words, at.call, 1);
        Atomics.notify(words, at.call);
        try {
          work(board, exports, names, 0);
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
          } else if (silence.tooLong(words)) {
            refuse("a worker that died: it notices no calls", again);
          } else if (words[at.fault] !== 0) {
            refuse(`an error in thread ${words[at.fault]!} while it ran ${entry}`, again);
          }
        }
        check();
        return words[at.stop] === 0;
      } finally {
        if (step > 0) memory.giveBack(scratch, threads * step);
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
