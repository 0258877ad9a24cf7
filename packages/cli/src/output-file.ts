import { ArgumentError } from "@qkv/core";
import { randomUUID } from "node:crypto";
import { open, realpath, rename, rm, stat } from "node:fs/promises";

/** A file that is written atomically: it appears when it is complete, or not at all. */
export type OutputFile = {
  finish(content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Removes the unfinished file. Does nothing after `finish`. */
  discard(): Promise<void>;
};

/**
 * Opens a file for a later result, so that a path that cannot be written is refused before the work. The text is written to a
 * temporary file and renamed, so that readers see the old file or the new one. Special files (`/dev/null`, a pipe) are written
 * directly.
 *
 * @param flag - The option with the path, for errors.
 * @throws {ArgumentError} If the path cannot be written.
 */
export async function openOutputFile(path: string, flag: string): Promise<OutputFile> {
  try {
    const existing = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (existing?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    const target = existing ? await realpath(path) : path;
    const direct = existing !== undefined && !existing.isFile();
    const temporary = direct ? target : `${target}.${randomUUID()}.tmp`;
    const file = await open(temporary, direct ? "w" : "wx");
    let finished = false;
    return {
      async finish(content) {
        try {
          await file.writeFile(content);
          // The content must be on the disk before the rename, or a crash leaves an empty file under the name.
          if (!direct) await file.sync();
          await file.close();
          if (!direct) await rename(temporary, target);
          finished = true;
        } catch (cause) {
          throw unwritable(path, flag, cause);
        }
      },
      async discard() {
        if (finished) return;
        await file.close();
        if (!direct) await rm(temporary, { force: true });
      },
    };
  } catch (cause) {
    throw unwritable(path, flag, cause);
  }
}

/** Refuses a path that cannot be written, with the reason. Errors that are not of a file system are returned as they are. */
export function unwritable(path: string, flag: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === undefined) return cause;
  return new ArgumentError({
    fn: "qkv",
    argument: flag,
    received: path,
    expected: `a file that can be written, and this one ${reasons[code] ?? `gives ${code}`}`,
    fix: isFull(code)
      ? "make room, or name a file on another disk."
      : "name a file in a folder that exists and may be written.",
    cause,
  });
}

/** True if a disk is full, a quota is reached, or a file is too large. */
export function isFull(code: string | undefined): boolean {
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "is in a folder that does not exist",
  EEXIST: "is in a path that is not a folder",
  ENOTDIR: "is in a path that is not a folder",
  EISDIR: "is a folder",
  EACCES: "may not be written",
  EPERM: "may not be written",
  EROFS: "is on a read-only disk",
  ENOSPC: "is on a full disk",
  EDQUOT: "exceeds the disk quota",
  EFBIG: "would be larger than a file may be",
};
