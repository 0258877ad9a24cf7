import { diskFor, type DiskFile } from "./disk.js";
import type { OutputFolder } from "./output-folder.js";

/** Size of the magic bytes of a format. */
const magic = 4;

/**
 * A file on a disk, in Node, as a folder of one file, whatever that is called. What is written lies beside it under another
 * name, its first bytes last, and is renamed when all is there: a process that is killed leaves nothing that is taken for a
 * model.
 *
 * @throws {ArgumentError} If there is something at that path, or it cannot be made.
 */
export async function diskFile(path: string): Promise<OutputFolder> {
  const { disk, target, unfinished } = await diskFor(path, "file");
  const { told } = disk;
  // Before anything is computed, so that a path that cannot be written is refused at once.
  let file: DiskFile | undefined = await told(disk.open(unfinished, "wx"), "a file that can be made");
  let first: Uint8Array | undefined;
  const finish = async (file: DiskFile) => {
    await file.sync();
    if (first) await file.write(first, 0, first.length, 0);
    await file.sync();
    await file.close();
    await disk.rename(unfinished, target);
  };
  return {
    async open() {
      return {
        async write(bytes) {
          const piece = first ? bytes : bytes.slice().fill(0, 0, magic);
          first ??= bytes.slice(0, magic);
          await told(file!.writeFile(piece));
        },
        close: async () => undefined,
      };
    },
    async commit() {
      await told(finish(file!));
      file = undefined;
    },
    async discard() {
      await file?.close().catch(() => undefined);
      await disk.rm(unfinished, { recursive: true, force: true });
    },
  };
}
