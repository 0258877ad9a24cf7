import { ArgumentError } from "@qkv/core";
import type { ByteSource } from "./source.js";

/** What is used of Node's `fs/promises`. */
type FileSystem = {
  open(path: string | URL): Promise<FileHandle>;
};
type FileHandle = {
  stat(): Promise<{ size: number }>;
  read(to: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
};

/** Bytes read at a time: large enough to be fast, small enough to stop soon. */
const chunkSize = 4 * 2 ** 20;

/** A file by path, in Node and engines like it. It is opened for each read, so nothing has to be closed. */
export async function fileBytes(path: string | URL): Promise<ByteSource> {
  const size = await withFile(path, async (file) => (await file.stat()).size);
  return {
    size,
    read: (start, end, signal) =>
      withFile(path, async (file) => {
        const bytes = new Uint8Array(end - start);
        for (let at = 0; at < bytes.length;) {
          signal?.throwIfAborted();
          const length = Math.min(chunkSize, bytes.length - at);
          const { bytesRead } = await file.read(bytes, at, length, start + at);
          if (bytesRead === 0) return bytes.subarray(0, at);
          at += bytesRead;
        }
        return bytes;
      }),
  };
}

async function withFile<T>(path: string | URL, use: (file: FileHandle) => Promise<T>): Promise<T> {
  // Asked for at run time, so that bundlers for the browser have nothing to resolve.
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): FileSystem | undefined } };
  const fs = process?.getBuiltinModule?.("node:fs/promises");
  const refuse = (expected: string, fix: string, cause?: unknown) =>
    new ArgumentError({
      fn: "readSafetensors",
      argument: "source",
      received: String(path),
      expected,
      fix,
      cause,
    });
  if (!fs) {
    throw refuse(
      "bytes, a Blob or a URL, where there is no file system",
      "fetch the file, or take it from an <input type=file>: a File is a Blob.",
    );
  }
  try {
    const file = await fs.open(path);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code !== "string") throw cause;
    throw refuse(
      `a file that can be read, and this one gives ${code}`,
      "check the path; relative paths start from the folder the program was started in.",
      cause,
    );
  }
}
