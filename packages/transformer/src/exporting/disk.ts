import { checks, type Checks } from "@qkv/core";

export type DiskFile = {
  /** Goes on where the last ended. */
  writeFile(bytes: Uint8Array): Promise<void>;
  /** Writes at a place. */
  write(bytes: Uint8Array, offset: number, length: number, position: number): Promise<unknown>;
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** The part of Node's `fs/promises` that is used, with errors of the disk as refusals of `out`. */
export type Disk = {
  mkdir(path: string, options?: { recursive: boolean }): Promise<unknown>;
  open(path: string, flags: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { recursive: boolean; force: boolean }): Promise<void>;
  /** Awaits work on the disk. */
  told<T>(work: Promise<T>, expected?: string): Promise<T>;
};

/**
 * The disk, in Node, and what lies beside a path while it is written.
 *
 * @param out - The path to write to.
 * @param kind - Kind of the output, in words.
 * @throws {ArgumentError} If there is no disk, or something at the path already.
 */
export async function diskFor(
  out: string,
  kind: "file" | "folder",
): Promise<{ disk: Disk; target: string; unfinished: string }> {
  const { process } = globalThis as { process?: { pid: number; getBuiltinModule?(id: string): unknown } };
  const node = process?.getBuiltinModule?.("node:fs/promises") as
    (Omit<Disk, "told"> & { stat(path: string): Promise<unknown> }) | undefined;
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
    // Most often a disk that refuses is full.
    told: (work, expected = "a disk with room for the model") =>
      work.catch((cause: { code?: unknown }) =>
        check.refuse({ expected: `${expected}, and this gives ${String(cause.code)}`, cause }),
      ),
  };
  const target = out.replace(/[\\/]+$/, "");
  const there = await disk.told(
    node.stat(target).then(
      () => true,
      (error: { code?: unknown }) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    ),
    `a ${kind} that can be made`,
  );
  if (there) check.refuse({ expected: `a new ${kind}, and there is something at this path` });
  const unfinished = `${target}.${process!.pid}.unfinished`;
  await disk.rm(unfinished, { recursive: true, force: true });
  return { disk, target, unfinished };
}
