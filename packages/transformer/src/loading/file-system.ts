/** What is used of Node's `fs/promises`. */
export type FileSystem = {
  stat(path: string | URL): Promise<{ size: number; isDirectory(): boolean }>;
  open(path: string | URL): Promise<{
    read(to: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
    close(): Promise<void>;
  }>;
};

/** The file system of Node and engines like it. Asked for at run time, so that bundlers for the browser have nothing to resolve. */
export function fileSystem(): FileSystem | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): FileSystem | undefined } };
  return process?.getBuiltinModule?.("node:fs/promises");
}
