import type {
  FileSource,
  OpenFile,
  OpenOptions,
  Reader,
  ReadOptions,
  ReadProgress,
} from "@qkv/core/byte-source";

export {
  fileSystem,
  findFile,
  kindOfPath,
  openFile,
  readWhole,
  smallFiles,
  sourceUrl,
} from "@qkv/core/byte-source";
export type { OpenFile, OpenOptions, ReadOptions };

/** A file: its bytes, a Blob or File, a path (in Node), a URL, or anything that gives ranges of bytes. */
export type Source = FileSource;

/** Progress of loading a file. Unit: bytes. `total` is undefined if a server does not state it. */
export type Progress = ReadProgress;

/** Limits for opening a file of a model: of its kind, and the folder that links must not leave. */
export type FileLimits = Pick<OpenOptions, "maxBytes" | "kind" | "within">;

/** Options for reading the files of a model, and the function that errors name. */
export type Reading = Reader & ReadOptions;

/** A file in messages: its name, and the function that reads it. */
export type ReadFile = Pick<OpenFile, "name" | "fn">;
