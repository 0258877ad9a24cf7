import { checkDevice, checks, readSafetensorsHeaderOf } from "@qkv/core";
import { openFile, type FileSource, type ReadOptions as FileOptions } from "@qkv/core/byte-source";
import type { Device } from "../contracts.js";
import { fromArray } from "../create.js";
import type { Tensor } from "../tensor.js";
import { decodeElements } from "./elements.js";

/** A file: its bytes, a Blob or File, a URL, in Node a path, or a byte source with range reads. */
export type SafetensorsSource = FileSource;

/** Options of reading. */
export type ReadOptions = FileOptions & {
  /** Device of the tensors. Default: the plain device. */
  device?: Device;
};

/** An open file, of which only the header was read. It need not be closed. */
export type SafetensorsFile = {
  /** Names of the tensors, in the order of the header. */
  readonly names: readonly string[];
  /** Metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The shape of a tensor, without reading it. */
  shape(name: string): readonly number[];
  /**
   * Reads one tensor, and no other bytes of the file.
   *
   * @throws {ArgumentError} If the file has no tensor of this name.
   * @throws {FormatError} If its numbers do not fit a dtype.
   */
  get(name: string, options?: { signal?: AbortSignal }): Promise<Tensor>;
};

/**
 * Opens a safetensors file and reads its header. From a server, only the requested tensors are
 * transferred, by HTTP range requests.
 *
 * @param source - Bytes, a Blob or File, a URL, in Node a path, or `{ size, read(start, end) }`.
 * @throws {FormatError} If the header is invalid, names a tensor twice, or does not match the size of the file.
 * @throws {ArgumentError} If the file cannot be read, or the server does not support range requests or does not respond.
 * @see https://github.com/huggingface/safetensors, "Format"
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { openSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";
 *
 * const bytes = await writeSafetensors({ w: tensor([1, 2]), b: tensor([3]) });
 * const file = await openSafetensors(bytes);
 * file.names; // => ["w", "b"]
 * (await file.get("w")).toNested(); // => [1, 2]
 * ```
 */
export async function openSafetensors(
  source: SafetensorsSource,
  options?: ReadOptions,
): Promise<SafetensorsFile> {
  return open("openSafetensors", source, options, "ranges");
}

const optionNames = ["device", "signal", "onProgress", "idleTimeoutMs", "maxBytes"] as const;

async function open(
  fn: string,
  source: SafetensorsSource,
  options: ReadOptions | undefined,
  transfer: "ranges" | "whole",
): Promise<SafetensorsFile> {
  const check = checks(fn, { argument: "source" });
  const { device, ...fileOptions } = check.options(options, optionNames);
  if (device !== undefined) checkDevice(fn, device);
  const bytes = await openFile(source, { ...fileOptions, check, transfer });
  const { tensors, metadata } = await readSafetensorsHeaderOf(bytes);
  const entry = (method: string, name: string) => {
    const found = tensors.get(name);
    if (found) return found;
    return checks(`SafetensorsFile.${method}`).refuse({
      argument: "name",
      received: name,
      expected: `one of the ${tensors.size} tensors of ${bytes.name}`,
      fix: "`names` lists them.",
    });
  };
  return {
    names: [...tensors.keys()],
    metadata: Object.fromEntries(metadata),
    shape: (name) => entry("shape", name).shape,
    async get(name, options = {}) {
      const { start, end, dtype: stored, shape } = entry("get", name);
      const content = await bytes.read(start, end, options.signal);
      const { dtype, array } = decodeElements(content, stored, name, bytes);
      return fromArray(array, dtype, shape, device);
    },
  };
}

/**
 * Reads a whole safetensors file.
 *
 * F64, F32, F16, BF16, I32, I8, U8 and BOOL become the types of the same kind; I16, U16, U32, I64 and U64 become
 * int32, and numbers that do not fit are an error. Float8 types are refused.
 *
 * @param source - Bytes, a Blob or File, a URL, in Node a path, or `{ size, read(start, end) }`.
 * @returns `tensors` by name, and `metadata`.
 * @throws {FormatError} If the file is damaged or malicious, before memory is allocated for it.
 * @throws {ArgumentError} If the file cannot be read, or a server sends nothing for `idleTimeoutMs`.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { readSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";
 *
 * const bytes = await writeSafetensors({ w: tensor([1, 2]) }, { license: "MIT" });
 * const { tensors, metadata } = await readSafetensors(bytes);
 * tensors.w.toNested(); // => [1, 2]
 * metadata; // => { license: "MIT" }
 * ```
 */
export async function readSafetensors(
  source: SafetensorsSource,
  options?: ReadOptions,
): Promise<{ tensors: Record<string, Tensor>; metadata: Readonly<Record<string, string>> }> {
  const file = await open("readSafetensors", source, options, "whole");
  const tensors: [string, Tensor][] = [];
  for (const name of file.names) tensors.push([name, await file.get(name)]);
  return { tensors: Object.fromEntries(tensors), metadata: file.metadata };
}
