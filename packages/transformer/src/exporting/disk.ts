import { checks, type Checks } from "@qkv/core";

/** An open file of Node's `fs/promises`. */
export type DiskFile = {
  /** Appends bytes. */
  writeFile(bytes: Uint8Array): Promise<void>;
  /** Writes bytes at an offset. */
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<unknown>;
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** The used part of Node's `fs/promises`, with file system errors converted to errors about `out`. */
export type Disk = {
  mkdir(path: string, options?: { recursive: boolean }): Promise<unknown>;
  open(path: string, flags: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { recursive: boolean; force: boolean }): Promise<void>;
  /** Awaits a file system operation. Its errors become errors about `out` that expect `expected`. */
  convertErrors<T>(operation: Promise<T>, expected?: string): Promise<T>;
};

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "is in a folder that does not exist",
  ENOTDIR: "is in a path that is not a folder",
  EACCES: "is in a folder that may not be written",
  EROFS: "is on a read-only disk",
  ENOSPC: "is on a full disk",
};

/**
 * The file system (Node), and the temporary path for a path that is being written.
 *
 * @param out - The path to write to.
 * @param kind - Kind of the output, for errors.
 * @throws {ArgumentError} If there is no file system, or the path exists.
 */
export async function diskFor(
  out: string,
  kind: "file" | "folder",
): Promise<{ disk: Disk; target: string; unfinished: string }> {
  const { process } = globalThis as { process?: { pid: number; getBuiltinModule?(id: string): unknown } };
  const node = process?.getBuiltinModule?.("node:fs/promises") as
    (Omit<Disk, "convertErrors"> & { stat(path: string): Promise<unknown> }) | undefined;
  const fix = `name a ${kind} that does not exist yet, inside a folder that may be written, on a disk with room.`;
  const check: Checks<{ argument: string; received: string; fix: string }> = checks("exportModel", {
    argument: "out",
    received: out,
    fix,
  });
  if (!node) return check.refuse({ expected: "`memoryFolder()`, where there is no file system" });
  const disk: Disk = {
    mkdir: node.mkdir,
    open: node.open,
    rename: node.rename,
    rm: node.rm,
    // The most common cause is a full disk.
    convertErrors: (operation, expected = "a disk with room for the model") =>
      operation.catch((cause: { code?: unknown }) =>
        check.refuse({
          expected: `${expected}, and this ${reasons[String(cause.code)] ?? `gives ${String(cause.code)}`}`,
          cause,
        }),
      ),
  };
  const target = out.replace(/[\\/]+$/, "");
  const exists = await disk.convertErrors(
    node.stat(target).then(
      () => true,
      (error: { code?: unknown }) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    ),
    `a ${kind} that can be made`,
  );
  if (exists) check.refuse({ expected: `a new ${kind}, and there is something at this path` });
  const unfinished = `${target}.${process!.pid}.unfinished`;
  await disk.rm(unfinished, { recursive: true, force: true });
  return { disk, target, unfinished };
}
