import type { Reader } from "./options.js";

type Stats = { size: number; isFile(): boolean; isDirectory(): boolean };

/** The functions of Node's `fs/promises` that are used here. */
export type FileSystem = {
  stat(path: string | URL): Promise<Stats>;
  realpath(path: string | URL): Promise<string>;
  readdir(path: string | URL): Promise<string[]>;
  open(path: string): Promise<{
    read(to: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
    close(): Promise<void>;
  }>;
};

/**
 * The file system of Node and compatible runtimes, or undefined. It is looked up at run time, so that bundlers for browsers
 * have no module to resolve.
 */
export function fileSystem(): FileSystem | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): FileSystem | undefined } };
  return process?.getBuiltinModule?.("node:fs/promises");
}

/** Bytes per read: large enough to be fast, small enough to stop soon after an abort. Node refuses reads of 2 GiB or more. */
const chunkSize = 4 * 2 ** 20;

/** A file on disk. Each read opens and closes it, so callers need not close it. */
export type DiskFile = {
  readonly size: number;
  /** Fills `to` with the bytes from `start` on, and returns the number of bytes read: fewer at the end of the file. */
  readInto(to: Uint8Array, start: number, onChunk: (count: number) => void): Promise<number>;
};

/**
 * Finds a file by its path, or returns undefined if it does not exist. Symbolic links are followed.
 *
 * @param within - Folder in which the file must be after links are resolved. Default: no restriction.
 * @throws {ArgumentError} If there is no file system, if the path is a folder, a pipe or a device, if a link leads
 *   out of `within`, or if the file may not be read.
 */
export async function findOnDisk(
  path: string | URL,
  within: string | URL | undefined,
  { check }: Reader,
): Promise<DiskFile | undefined> {
  const fs = fileSystem();
  if (!fs) {
    return check.refuse({
      received: String(path),
      expected: "bytes, a Blob or a URL, where there is no file system",
      fix: "fetch the file, or take it from an <input type=file>: a File is a Blob.",
    });
  }
  const refuse = (expected: string, fix = checkPathFix, cause?: unknown): never =>
    check.refuse({ received: String(path), expected, fix, cause });
  /** Converts an error of the file system into an ArgumentError. */
  const orRefuse = <T>(work: Promise<T>) =>
    work.catch((cause: { code?: unknown }) => {
      const { code } = cause;
      if (typeof code !== "string") throw cause;
      const reason = reasons[code] ?? `gives ${code}`;
      return refuse(`a file that can be read, and this one ${reason}`, checkPathFix, cause);
    });
  const real = await orRefuse(undefinedIfMissing(fs.realpath(path)));
  if (real === undefined) return undefined;
  if (within !== undefined) {
    const folder = await orRefuse(fs.realpath(within));
    if (!isInside(real, folder)) {
      refuse(
        `a file of the folder ${folder}, and it is a link to ${real}`,
        "links out of a model's folder are not followed: copy the file into the folder.",
      );
    }
  }
  // Checked before the file is opened: opening a pipe blocks until its other end is opened.
  const stats = await orRefuse(fs.stat(real));
  if (!stats.isFile()) {
    const kind = stats.isDirectory() ? "is a folder" : "is a pipe, a socket or a device";
    refuse(`a file that can be read, and this one ${kind}`);
  }
  return {
    size: stats.size,
    async readInto(to, start, onChunk) {
      const file = await orRefuse(fs.open(real));
      try {
        let at = 0;
        while (at < to.length) {
          const length = Math.min(chunkSize, to.length - at);
          const { bytesRead } = await orRefuse(file.read(to, at, length, start + at));
          if (bytesRead === 0) break;
          at += bytesRead;
          onChunk(bytesRead);
        }
        return at;
      } finally {
        await file.close();
      }
    },
  };
}

/** `folder` for a folder, `file` for anything else that exists, undefined if the path does not exist. */
export async function kindOfPath(path: string | URL): Promise<"folder" | "file" | undefined> {
  const found = await fileSystem()
    ?.stat(path)
    .catch(() => undefined);
  return found && (found.isDirectory() ? "folder" : "file");
}

const checkPathFix = "check the path; relative paths start from the folder the program was started in.";

/**
 * True for a path inside a folder; links in both are resolved. In Hugging Face's cache, the files of a model in
 * `models--OWNER--NAME/snapshots/REVISION` are links to `models--OWNER--NAME/blobs`, which counts as inside.
 */
function isInside(real: string, folder: string): boolean {
  const separator = real.startsWith("/") ? "/" : "\\";
  const isBelow = (parent: string) =>
    real.startsWith(parent.endsWith(separator) ? parent : parent + separator);
  const [, model] = /^(.*[\\/]models--[^\\/]+)[\\/]snapshots[\\/][^\\/]+/.exec(folder) ?? [];
  return isBelow(folder) || (model !== undefined && isBelow(`${model}${separator}blobs`));
}

/** Resolves to undefined instead of rejecting if a path does not exist. */
function undefinedIfMissing<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: { code?: unknown }) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
}

/** Explanations for messages, by the `code` of Node's error. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: "may not be read",
  EPERM: "may not be read",
  ELOOP: "is a link that leads back to itself",
};
