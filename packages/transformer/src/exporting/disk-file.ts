import { diskFor, type DiskFile } from "./disk.js";
import type { OutputFolder } from "./output-folder.js";

/**
 * A file on a disk, in Node, as a folder of one file, whatever that is called. What is written lies beside it under another
 * name, and is renamed when all is there.
 *
 * @throws {ArgumentError} If there is something at that path, or it cannot be made.
 */
export async function diskFile(path: string): Promise<OutputFolder> {
  const { disk, target, unfinished } = await diskFor(path, "file");
  const { told } = disk;
  // Before anything is computed, so that a path that cannot be written is refused at once.
  let file: DiskFile | undefined = await told(disk.open(unfinished, "wx"), "a file that can be made");
  return {
    async open() {
      return {
        write: (bytes) => told(file!.writeFile(bytes)),
        async close() {
          await told(file!.sync());
          const whole = file!;
          file = undefined;
          await told(whole.close());
        },
      };
    },
    done: () => told(disk.rename(unfinished, target)),
    async discard() {
      await file?.close().catch(() => undefined);
      await disk.rm(unfinished, { recursive: true, force: true });
    },
  };
}
