import { diskFor, type DiskFile } from "./disk.js";
import type { OutputFolder } from "./output-folder.js";

/**
 * A folder on disk (Node). It is written to a temporary folder with temporary file names, which is
 * renamed when it is complete: a killed process leaves no folder that would load as a model.
 *
 * @throws {ArgumentError} If the path exists, or the folder cannot be created.
 */
export async function diskFolder(path: string): Promise<OutputFolder> {
  const { disk, target, unfinished } = await diskFor(path, "folder");
  const { convertErrors } = disk;
  await convertErrors(disk.mkdir(unfinished), "a folder that can be made");
  const opened = new Set<DiskFile>();
  const names: string[] = [];
  return {
    async open(name) {
      if (name.includes("/")) {
        const inner = `${unfinished}/${name.slice(0, name.lastIndexOf("/"))}`;
        await convertErrors(disk.mkdir(inner, { recursive: true }));
      }
      const file = await convertErrors(disk.open(`${unfinished}/${name}.part`, "wx"));
      opened.add(file);
      names.push(name);
      return {
        write: (bytes) => convertErrors(file.writeFile(bytes)),
        async close() {
          await convertErrors(file.sync());
          opened.delete(file);
          await convertErrors(file.close());
        },
      };
    },
    async commit() {
      for (const name of names)
        await convertErrors(disk.rename(`${unfinished}/${name}.part`, `${unfinished}/${name}`));
      await convertErrors(disk.rename(unfinished, target));
    },
    async discard() {
      await Promise.allSettled(Array.from(opened, (file) => file.close()));
      await disk.rm(unfinished, { recursive: true, force: true });
    },
  };
}
