import {
  findFile as findAnyFile,
  openFile as openAnyFile,
  sourceUrl,
  type FileSource,
  type OpenFile,
  type OpenOptions as AnyOpenOptions,
  type Reader,
  type ReadOptions,
  type ReadProgress,
} from "@qkv/core/byte-source";
import type { ModelStore, StoredFileRequest } from "../storage/model-store.js";

export { fileSystem, kindOfPath, readWhole, smallFiles } from "@qkv/core/byte-source";
export { sourceUrl };
export type { OpenFile, ReadOptions };

/** A file: its bytes, a Blob or File, a path (in Node), a URL, or an object that reads byte ranges. */
export type Source = FileSource;

/** Progress of loading a file. Unit: bytes. `total` is undefined if a server does not state it. */
export type Progress = ReadProgress;

/** A store for downloads, and the model name under which it lists a file. */
type Storing = {
  /** Store for downloaded files. Default: they are not stored. */
  readonly store?: ModelStore;
  /** Name of the model in the store. Default: the URL of the folder, or of the file. */
  readonly stored?: Partial<Omit<StoredFileRequest, "reading">>;
};

export type OpenOptions = AnyOpenOptions & Storing;

/** Limits for opening a file: size limits of its kind, and the folder that symbolic links must not leave. */
export type FileLimits = Pick<OpenOptions, "maxBytes" | "kind" | "within">;

/** Options for reading files, the store for downloads, and the function that errors name. */
export type Reading = Reader & ReadOptions & Storing;

/** A file for messages: its name, and the function that reads it. */
export type ReadFile = Pick<OpenFile, "name" | "fn">;

/** Opens a file; files on servers through the store, if one is given. Returns undefined if there is no such file. */
export async function findFile(source: Source, options: OpenOptions): Promise<OpenFile | undefined> {
  const { store, stored, ...reading } = options;
  const url = store && sourceUrl(source);
  if (!url) return findAnyFile(source, reading);
  const storedFile = await store.find(url, { model: String(reading.within ?? url), ...stored, reading });
  if (!storedFile?.isNew) return storedFile && findAnyFile(storedFile, reading);
  // Progress was already reported during the download.
  const { onProgress: _, ...withoutProgress } = reading;
  return findAnyFile(storedFile, withoutProgress);
}

/** Opens a file, or throws if there is none. */
export async function openFile(source: Source, options: OpenOptions): Promise<OpenFile> {
  const { store, stored: _, ...reading } = options;
  if (!store || !sourceUrl(source)) return openAnyFile(source, reading);
  const file = await findFile(source, options);
  if (file) return file;
  return options.check.refuse({
    received: String(source),
    expected: "a file, and the server answered 404 Not Found or with a page of its own",
    fix: "check the address, and whether it needs a login.",
  });
}
