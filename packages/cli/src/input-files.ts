import { ArgumentError } from "@qkv/core";
import { createReadStream } from "node:fs";
import type { Input } from "./io.js";

/** The bytes of files, one stream each; of standard input where none is named. */
export function inputFiles(paths: readonly string[], standardInput: Input, signal: AbortSignal): Input[] {
  return paths.length === 0 ? [standardInput] : paths.map((path) => readFile(path, signal));
}

async function* readFile(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of createReadStream(path, { signal })) yield chunk as Uint8Array;
  } catch (cause) {
    signal.throwIfAborted();
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    throw new ArgumentError({
      fn: "qkv",
      argument: "file",
      received: path,
      expected: `a file that can be read, and this one ${reasons[code] ?? `gives ${code}`}`,
      fix: "name text files, or none to read standard input.",
      cause,
    });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EISDIR: "is a folder",
  EACCES: "may not be read",
  EPERM: "may not be read",
};
