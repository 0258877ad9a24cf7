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

/** A file: its bytes, a Blob or File, a path (in Node), a URL, or anything that gives ranges of bytes. */
export type Source = FileSource;

/** Progress of loading a file. Unit: bytes. `total` is undefined if a server does not state it. */
export type Progress = ReadProgress;

/** A store, and the model under which it lists a file. */
type Storing = {
  /** Store of files of servers. Default: they are not kept. */
  readonly store?: ModelStore;
  /** Default: the folder of the file, or the file. */
  readonly stored?: Partial<Omit<StoredFileRequest, "reading">>;
};

export type OpenOptions = AnyOpenOptions & Storing;

/** Limits for opening a file of a model: of its kind, and the folder that links must not leave. */
export type FileLimits = Pick<OpenOptions, "maxBytes" | "kind" | "within">;

/** Options for reading the files of a model, the store of those on servers, and the function that errors name. */
export type Reading = Reader & ReadOptions & Storing;

/** A file in messages: its name, and the function that reads it. */
export type ReadFile = Pick<OpenFile, "name" | "fn">;

/** Opens a file, of a server through the store where one is given. `undefined` if there is no such file. */
export async function findFile(source: Source, options: OpenOptions): Promise<OpenFile | undefined> {
  const { store, stored, ...reading } = options;
  const url = store && sourceUrl(source);
  if (!url) return findAnyFile(source, reading);
  const found = await store.find(url, { model: String(reading.within ?? url), ...stored, reading });
  if (!found?.isNew) return found && findAnyFile(found, reading);
  // Its progress was that of the download.
  const { onProgress: _, ...quiet } = reading;
  return findAnyFile(found, quiet);
}

/** Opens a file that must be there. */
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
