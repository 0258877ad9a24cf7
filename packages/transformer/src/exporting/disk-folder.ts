import { ArgumentError } from "@qkv/core";
import type { OutputFile, OutputFolder } from "./output-folder.js";

/** What is used of Node's `fs/promises`. */
type Disk = {
  stat(path: string): Promise<unknown>;
  mkdir(path: string): Promise<unknown>;
  open(
    path: string,
    flags: string,
  ): Promise<{ writeFile(bytes: Uint8Array): Promise<void>; sync(): Promise<void>; close(): Promise<void> }>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { recursive: boolean; force: boolean }): Promise<void>;
};

/**
 * A folder on a disk, in Node. What is written lies beside it under another name, and is renamed when all is there.
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
  const opened = new Set<OutputFile>();
  return {
    async open(name) {
      const file = await disk.open(`${unfinished}/${name}`, "wx");
      const output: OutputFile = {
        write: (bytes) => file.writeFile(bytes), // goes on where the last ended
        async close() {
          opened.delete(output);
          await file.sync();
          await file.close();
        },
      };
      opened.add(output);
      return output;
    },
    done: () => disk.rename(unfinished, target),
    async discard() {
      for (const file of opened) await file.close();
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
    fix: "name a folder that does not exist yet, inside one that may be written.",
    cause,
  });
}
