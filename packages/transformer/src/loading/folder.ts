import { findFile, type FileLimits, type OpenFile, type Reading } from "./open-file.js";

/** Files that belong together, wherever they lie: found by their names. */
export type Folder = {
  /** Name in messages. */
  readonly name: string;
  /** Options for reading its files. */
  readonly reading: Reading;
  /** A file of it; undefined if it has none of this name. `limits`: those of its kind. */
  find(file: string, limits?: FileLimits): Promise<OpenFile | undefined>;
};

/** A folder on a disk or on a server. Links that lead out of a folder on a disk are refused. */
export function openFolder(base: string | URL, reading: Reading): Folder {
  const url = base instanceof URL || /^[a-z]{2,}:\/\//i.test(base) ? new URL(base) : undefined;
  if (url && !url.pathname.endsWith("/")) url.pathname += "/";
  return {
    name: String(base),
    reading,
    find: (file, limits) =>
      findFile(url ? fileUrl(url, file) : `${String(base).replace(/[\\/]$/, "")}/${file}`, {
        ...reading,
        ...limits,
        within: base,
      }),
  };
}

/** A file beside others of a folder's address, whose query (a token, a revision) it keeps. */
function fileUrl(folder: URL, file: string): URL {
  const url = new URL(folder);
  url.pathname += file;
  return url;
}

/** Files that a reader chose in a page, by their names, or by their paths in a folder that was chosen whole. */
export function filesFolder(files: readonly File[], reading: Reading): Folder {
  const relativePath = (file: File) => file.webkitRelativePath?.replace(/^[^/]*\//, "") || file.name;
  return {
    name: `${files.length} files`,
    reading,
    async find(name, limits) {
      const file = files.find((one) => relativePath(one) === name);
      return file && findFile(file, { ...reading, ...limits });
    },
  };
}

/** A file that must be in a folder. */
export async function requiredFile(
  folder: Folder,
  name: string,
  why: string,
  limits?: FileLimits,
): Promise<OpenFile> {
  const file = await folder.find(name, limits);
  if (file) return file;
  return folder.reading.check.refuse({
    received: folder.name,
    expected: `a folder with ${name}: ${why}`,
    fix: "give the folder that holds config.json, tokenizer.json and the weights, as Hugging Face lays a model out.",
  });
}
