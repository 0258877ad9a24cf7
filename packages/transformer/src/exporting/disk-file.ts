import { diskFor, type DiskFile } from "./disk.js";
import type { OutputFolder } from "./output-folder.js";

/** Length of the magic bytes of a format. */
const magicLength = 4;

/**
 * A single file on disk (Node) as an output folder; the file name within the folder is ignored. Bytes are written to a
 * temporary file, the magic bytes last, which is renamed when it is complete: a killed process leaves no file
 * that would load as a model.
 *
 * @throws {ArgumentError} If the path exists, or the file cannot be created.
 */
export async function diskFile(path: string): Promise<OutputFolder> {
  const { disk, target, unfinished } = await diskFor(path, "file");
  const { convertErrors } = disk;
  // Created before anything is computed, so that an unwritable path is refused immediately.
  let file: DiskFile | undefined = await convertErrors(
    disk.open(unfinished, "wx"),
    "a file that can be made",
  );
  let magicBytes: Uint8Array | undefined;
  const finish = async (file: DiskFile) => {
    await file.sync();
    if (magicBytes) await file.write(magicBytes, 0, magicBytes.length, 0);
    await file.sync();
    await file.close();
    await disk.rename(unfinished, target);
  };
  return {
    async open() {
      return {
        async write(bytes) {
          const piece = magicBytes ? bytes : bytes.slice().fill(0, 0, magicLength);
          magicBytes ??= bytes.slice(0, magicLength);
          await convertErrors(file!.writeFile(piece));
        },
        close: async () => undefined,
      };
    },
    async commit() {
      await convertErrors(finish(file!));
      file = undefined;
    },
    async discard() {
      await file?.close().catch(() => undefined);
      await disk.rm(unfinished, { recursive: true, force: true });
    },
  };
}
