import type {
  FileSource,
  OpenFile,
  OpenOptions,
  Reader,
  ReadOptions,
  ReadProgress,
} from "@qkv/core/byte-source";

export { addressOf, findFile, kindOfPath, openFile, readWhole, smallFiles } from "@qkv/core/byte-source";
export type { OpenFile, OpenOptions, ReadOptions };

/** A file: its bytes, a Blob or File, a path (in Node), a URL, or anything that gives ranges of bytes. */
export type Source = FileSource;

/** How far loading of a file has come. Unit: bytes. `total` is undefined where a server does not state it. */
export type Progress = ReadProgress;

/** How one file of a model is opened: the limit of its kind, and the folder that links must not lead out of. */
export type FileLimits = Pick<OpenOptions, "maxBytes" | "kind" | "within">;

/** How the files of a model are read, and the function that reads them, which errors name. */
export type Reading = Reader & ReadOptions;

/** A file in messages: its name, and the function that reads it. */
export type ReadFile = Pick<OpenFile, "name" | "fn">;
