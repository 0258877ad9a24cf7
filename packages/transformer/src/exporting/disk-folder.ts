import { ArgumentError } from "@qkv/core";
import type { OutputFolder } from "./output-folder.js";

type DiskFile = {
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
};

/** What is used of Node's `fs/promises`. */
type Disk = {
  stat(path: string): Promise<unknown>;
  mkdir(path: string, options?: { recursive: boolean }): Promise<unknown>;
  open(path: string, flags: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { recursive: boolean; force: boolean }): Promise<void>;
};

/**
 * A folder on a disk, in Node. What is written lies beside it under another name, its files under other names too, and
 * is renamed when all is there: a process that is killed leaves nothing that loads.
 *
 * @throws {ArgumentError} If there is something at that path, or it cannot be made.
 */
export async function diskFolder(path: string): Promise<OutputFolder> {
  const { process } = globalThis as { process?: { pid: number; getBuiltinModule?(id: string): unknown } };
  const disk = process?.getBuiltinModule?.("node:fs/promises") as Disk | undefined;
  if (!disk) throw refuse(path, "`memoryFolder()`, where there is no file system");
  const target = path.replace(/[\\/]+$/, "");
  const there = await disk.stat(target).then(
    () => true,
    (error: { code?: unknown }) => {
      if (error.code !== "ENOENT")
        throw refuse(path, `a folder that can be made, and this gives ${String(error.code)}`, error);
      return false;
    },
  );
  if (there) throw refuse(path, "a new folder, and there is something at this path");
  const unfinished = `${target}.${process!.pid}.unfinished`;
  await disk.rm(unfinished, { recursive: true, force: true });
  await disk.mkdir(unfinished).catch((error: { code?: unknown }) => {
    throw refuse(path, `a folder that can be made, and this gives ${String(error.code)}`, error);
  });
  const opened = new Set<DiskFile>();
  const names: string[] = [];
  /** What a disk refuses while it is written to: most often it is full. */
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: { code?: unknown }) => {
      throw refuse(path, `a disk with room for the model, and this gives ${String(error.code)}`, error);
    });
  return {
    async open(name) {
      if (name.includes("/")) {
        const inner = `${unfinished}/${name.slice(0, name.lastIndexOf("/"))}`;
        await told(disk.mkdir(inner, { recursive: true }));
      }
      const file = await told(disk.open(`${unfinished}/${name}.part`, "wx"));
      opened.add(file);
      names.push(name);
      return {
        write: (bytes) => told(file.writeFile(bytes)), // goes on where the last ended
        async close() {
          await told(file.sync());
          opened.delete(file);
          await told(file.close());
        },
      };
    },
    async done() {
      for (const name of names)
        await told(disk.rename(`${unfinished}/${name}.part`, `${unfinished}/${name}`));
      await told(disk.rename(unfinished, target));
    },
    async discard() {
      await Promise.allSettled(Array.from(opened, (file) => file.close()));
      await disk.rm(unfinished, { recursive: true, force: true });
    },
  };
}

function refuse(received: string, expected: string, cause?: unknown): ArgumentError {
  return new ArgumentError({
    fn: "exportModel",
    argument: "out",
    received,
    expected,
    fix: "name a folder that does not exist yet, inside one that may be written, on a disk with room.",
    cause,
  });
}
