import { ArgumentError, FormatError } from "@qkv/core";
import { fileBytes } from "./file-bytes.js";
import { httpBytes } from "./http-bytes.js";

/** Anything that gives a stretch of its bytes. */
export type ByteSource = {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes `start` to `end - 1`. */
  read(start: number, end: number, signal?: AbortSignal): Uint8Array | Promise<Uint8Array>;
};

/** A file: its bytes, a Blob or File, a URL, in Node a path, or whatever gives stretches of bytes. */
export type SafetensorsSource = Uint8Array | ArrayBuffer | Blob | URL | string | ByteSource;

/** A source whose every answer is checked, with its name for messages. The bytes it gives belong to the caller. */
export type Bytes = {
  readonly name: string;
  readonly size: number;
  read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array>;
};

export type Signal = AbortSignal | undefined;

/** The address of a source on a server; undefined for all others. */
export function addressOf(source: SafetensorsSource): URL | undefined {
  const text = typeof source === "string" && /^[a-z]{2,}:\/\//i.test(source);
  const url = source instanceof URL ? source : text ? new URL(source) : undefined;
  return url?.protocol === "file:" ? undefined : url;
}

/** Makes a source ready to be read in stretches. */
export async function openBytes(source: SafetensorsSource, signal: Signal): Promise<Bytes> {
  signal?.throwIfAborted();
  const url = addressOf(source);
  if (url) return checked(url.href, await httpBytes(url, signal));
  if (typeof source === "string" || source instanceof URL) {
    const path = typeof source === "string" && source.startsWith("file://") ? new URL(source) : source;
    return checked(String(source), await fileBytes(path));
  }
  if (source instanceof ArrayBuffer) return openBytes(new Uint8Array(source), signal);
  if (source instanceof Uint8Array) {
    return checked(`${source.length} bytes`, {
      size: source.length,
      // A copy of its own buffer: `slice` of a Node Buffer is a view into a pool.
      read: (start, end) => new Uint8Array(source.subarray(start, end)),
    });
  }
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    const name =
      "name" in source && typeof source.name === "string" ? source.name : `blob of ${source.size} bytes`;
    return checked(name, {
      size: source.size,
      read: async (start, end) => new Uint8Array(await source.slice(start, end).arrayBuffer()),
    });
  }
  const given = source as Partial<ByteSource> | null | undefined;
  if (typeof given?.read === "function" && Number.isSafeInteger(given.size)) {
    const { size } = given as ByteSource;
    return checked(`source of ${size} bytes`, {
      size,
      read: async (start, end, signal) => new Uint8Array(await given.read!(start, end, signal)),
    });
  }
  throw new ArgumentError({
    fn: "readSafetensors",
    argument: "source",
    received: source,
    expected: "bytes, a Blob, a URL, a path, or { size, read(start, end) }",
    fix: "for a file handle, give its size and a `read` that returns the bytes from start to end - 1.",
  });
}

function checked(name: string, { size, read }: ByteSource): Bytes {
  return {
    name,
    size,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      const bytes = await read(start, end, signal);
      signal?.throwIfAborted();
      if (bytes.length === end - start) return bytes;
      throw new FormatError({
        fn: "readSafetensors",
        argument: `${name}: bytes ${start} to ${end - 1}`,
        received: `${bytes.length} bytes`,
        expected: `${end - start}`,
        fix: "the file has changed or is cut short; open it again.",
      });
    },
  };
}
