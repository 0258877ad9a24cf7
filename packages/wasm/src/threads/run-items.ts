import type { Exports } from "../engine.js";
import { at, type WorkQueue } from "./work-queue.js";

/** Runs items of the queue's current call until none is left. */
export function runItems(
  { words, args }: WorkQueue,
  exports: Exports,
  names: readonly string[],
  thread: number,
): void {
  const run = exports[names[words[at.entry]!]!]!;
  const items = words[at.items]!;
  const scratch = (words[at.scratch]! >>> 0) + thread * words[at.scratchStep]!;
  const more = Array.from(args.subarray(0, words[at.count]!));
  while (Atomics.load(words, at.stop) === 0) {
    const item = Atomics.add(words, at.next, 1);
    if (item >= items) return;
    if (run(item, scratch, ...more)) Atomics.store(words, at.stop, 1);
  }
}
