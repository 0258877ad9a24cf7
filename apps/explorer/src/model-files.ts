/** A file with its path below the folder that was chosen: `config.json`, `onnx/model.onnx`. */
export type FoundFile = { readonly path: string; readonly file: File };

/** Files for `load`, and the name by which the page calls them. */
export type ModelFiles = { readonly name: string; readonly files: readonly File[] };

/**
 * The files of a model among those that a reader chose: all at the top of the folder, or the one GGUF file where no configuration
 * stands beside it. A repository has others of the same names in its folders, such as `onnx/config.json`, which are of other models.
 *
 * @throws {Error} If there is neither a configuration nor one GGUF file, with a text for the reader.
 */
export function modelFiles(name: string, found: readonly FoundFile[]): ModelFiles {
  const top = found.filter(({ path }) => !path.includes("/"));
  if (top.some(({ path }) => path === "config.json")) return { name, files: top.map(({ file }) => file) };
  const [single, ...others] = top.filter(({ path }) => path.endsWith(".gguf"));
  if (single && others.length === 0) return { name: single.file.name, files: [single.file] };
  throw new Error(
    `“${name}” has ${single ? "several GGUF files" : "no GGUF file, and no config.json at its top"}. Give one GGUF file, or the folder that holds config.json, tokenizer.json and the weights.`,
  );
}

/** Files of `<input type="file">`, or of one that chooses a folder. */
export function chosenFiles(files: readonly File[]): ModelFiles {
  const [folder, ...below] = (files[0]?.webkitRelativePath ?? "").split("/");
  if (below.length === 0) return dropped(files.map((file) => ({ path: file.name, file })));
  return modelFiles(
    folder!,
    files.map((file) => ({ path: file.webkitRelativePath.slice(folder!.length + 1), file })),
  );
}

/** Files and folders that were dropped on the page. Undefined: none were, but a text or a link. */
export async function droppedFiles(transfer: DataTransfer): Promise<ModelFiles | undefined> {
  // The list of items is emptied once this turn of the event loop ends.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return undefined;
  const [first, ...others] = entries;
  if (others.length === 0 && first!.isDirectory)
    return modelFiles(first!.name, await filesIn(first as FileSystemDirectoryEntry, ""));
  const found = await Promise.all(entries.map((entry) => filesOf(entry, "")));
  return dropped(found.flat());
}

const dropped = (found: readonly FoundFile[]): ModelFiles =>
  modelFiles(found.length === 1 ? found[0]!.file.name : `${found.length} files`, found);

async function filesOf(entry: FileSystemEntry, before: string): Promise<FoundFile[]> {
  if (entry.isDirectory) return filesIn(entry as FileSystemDirectoryEntry, `${before}${entry.name}/`);
  const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
  return [{ path: before + entry.name, file }];
}

async function filesIn(folder: FileSystemDirectoryEntry, before: string): Promise<FoundFile[]> {
  const reader = folder.createReader();
  const found: FoundFile[] = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return found;
    found.push(...(await Promise.all(some.map((entry) => filesOf(entry, before)))).flat());
  }
}
