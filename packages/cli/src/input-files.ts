import { createReadStream } from "node:fs";
import type { Input } from "./io.js";
import { unreadable } from "./missing-file.js";

/** A stream of bytes for each file; standard input if none is named. */
export function inputFiles(paths: readonly string[], standardInput: Input, signal: AbortSignal): Input[] {
  return paths.length === 0 ? [standardInput] : paths.map((path) => readFile(path, signal));
}

async function* readFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of createReadStream(path, { signal })) yield chunk as Uint8Array;
  } catch (cause) {
    signal.throwIfAborted();
    const fix = "name text files, or none to read standard input.";
    throw await unreadable(path, { argument: "file", what: "a file", fix }, cause);
  }
}
