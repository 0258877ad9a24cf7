import { checks } from "@qkv/core";
import {
  findFile as find,
  openFile as open,
  type FileSource,
  type OpenFile,
  type OpenOptions,
  type ReadOptions,
  type ReadProgress,
} from "@qkv/core/byte-source";

export { addressOf, kindOfPath, readWhole, smallFiles } from "@qkv/core/byte-source";
export type { OpenFile, OpenOptions, ReadOptions };

/** A file: its bytes, a Blob or File, a path (in Node), a URL, or anything that gives ranges of bytes. */
export type Source = FileSource;

/** How far loading of a file has come. Unit: bytes. `total` is undefined where a server does not state it. */
export type Progress = ReadProgress;

/** How one file of a model is opened: the limit of its kind, and the folder that links must not lead out of. */
export type FileLimits = Pick<OpenOptions, "maxBytes" | "kind" | "within">;

/** Errors name `load`. */
export const reader = () => ({ check: checks("load", { argument: "source" }) });

/** Opens a file of a model, of which only its first bytes have been read. `undefined` if there is none by that name. */
export const findFile = (
  source: Source,
  options: ReadOptions,
  limits: FileLimits = {},
): Promise<OpenFile | undefined> => find(source, { ...options, ...reader(), ...limits });

/** Opens a file that must be there. */
export const openFile = (source: Source, options: ReadOptions, limits: FileLimits = {}): Promise<OpenFile> =>
  open(source, { ...options, ...reader(), ...limits });
