import type { Exports } from "../engine.js";
import { fields, type WorkQueue } from "./work-queue.js";

/** Runs items of the queue's current call until none is left. */
export function runItems(
  { words, args }: WorkQueue,
  exports: Exports,
  names: readonly string[],
  thread: number,
): void {
  const run = exports[names[words[fields.entry]!]!]!;
  const items = words[fields.items]!;
  const scratch = (words[fields.scratch]! >>> 0) + thread * words[fields.scratchStep]!;
  const more = Array.from(args.subarray(0, words[fields.count]!));
  while (Atomics.load(words, fields.stop) === 0) {
    const item = Atomics.add(words, fields.next, 1);
    if (item >= items) return;
    if (run(item, scratch, ...more)) Atomics.store(words, fields.stop, 1);
  }
}
