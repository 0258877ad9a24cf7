import { findFile, type FileLimits, type OpenFile, type Reading } from "./open-file.js";

/** A set of files that are found by name, on disk, on a server or in memory. */
export type Folder = {
  /** Name in messages. */
  readonly name: string;
  /** Options for reading its files. */
  readonly reading: Reading;
  /** Finds a file by name; undefined if there is none. `limits`: size limits for this kind of file. */
  find(file: string, limits?: FileLimits): Promise<OpenFile | undefined>;
};

/** A folder on disk or on a server. On disk, symbolic links out of the folder are refused. */
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

/** The URL of a file in a folder, with the query of the folder's URL (such as a token or revision). */
function fileUrl(folder: URL, file: string): URL {
  const url = new URL(folder);
  url.pathname += file;
  return url;
}

/** A folder of `File` objects chosen in a page, by name, or by path if a whole folder was chosen. */
export function filesFolder(files: readonly File[], reading: Reading): Folder {
  const relativePath = (file: File) => file.webkitRelativePath?.replace(/^[^/]*\//, "") || file.name;
  return {
    name: `${files.length} files`,
    reading,
    async find(name, limits) {
      const file = files.find((candidate) => relativePath(candidate) === name);
      return file && findFile(file, { ...reading, ...limits });
    },
  };
}

/** Finds a file in a folder, or throws. `purpose`: what the file contains, for the error. */
export async function requiredFile(
  folder: Folder,
  name: string,
  purpose: string,
  limits?: FileLimits,
): Promise<OpenFile> {
  const file = await folder.find(name, limits);
  if (file) return file;
  return folder.reading.check.refuse({
    received: folder.name,
    expected: `a folder with ${name}: ${purpose}`,
    fix: "give the folder that holds config.json, tokenizer.json and the weights, as Hugging Face lays a model out.",
  });
}
