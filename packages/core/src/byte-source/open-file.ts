import { checkSignal } from "../checks.js";
import { FormatError } from "../errors.js";
import type { OwnBytes } from "../own-arrays.js";
import { fileSystem, findOnDisk } from "./disk.js";
import { isMissing, readBody, sendRequest, type HttpResponse } from "./http.js";
import type { Reader, ReadOptions } from "./options.js";

/** Any object from which ranges of bytes can be read. */
export type ByteSource = {
  /** Name for error messages. Default: a description with its size. */
  readonly name?: string;
  /** Size in bytes. */
  readonly size: number;
  /** Reads bytes `start` to `end - 1`. */
  read(start: number, end: number, signal?: AbortSignal): Uint8Array | Promise<Uint8Array>;
};

/** A file: its bytes, a Blob or File, a URL, a path (in Node), or any {@link ByteSource}. */
export type FileSource = Uint8Array | ArrayBuffer | Blob | URL | string | ByteSource;

/** A file that is read in ranges. It does not have to be closed. */
export type OpenFile = {
  /** Name for error messages. */
  readonly name: string;
  /** Name of the public function that reads the file, for errors. */
  readonly fn: string;
  /** Size in bytes. */
  readonly size: number;
  /** Reads bytes `start` to `end - 1` into a new array. */
  read(start: number, end: number, signal?: AbortSignal): Promise<OwnBytes>;
};

export type OpenOptions = Reader &
  ReadOptions & {
    /** Kind of file that `maxBytes` limits, for the error message. */
    readonly kind?: string;
    /** Folder in which a file on disk must be after symbolic links are resolved. Default: no restriction. */
    readonly within?: string | URL;
    /**
     * Requests to a server: `ranges` of bytes only, the `whole` file at once, or `any`: ranges where the server
     * supports them, else the whole file. Default: `any`.
     */
    readonly transfer?: "ranges" | "whole" | "any";
  };

/** Name of a source for error messages. */
export function sourceName(source: FileSource): string {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return `${source.byteLength} bytes`;
  if (isBlob(source)) return "name" in source ? String(source.name) : `blob of ${source.size} bytes`;
  return isByteSource(source) ? (source.name ?? `source of ${source.size} bytes`) : String(source);
}

/** The URL of a source on a server; undefined for other sources. */
export function sourceUrl(source: unknown): URL | undefined {
  const url = source instanceof URL ? source : typeof source === "string" ? urlIn(source) : undefined;
  return url && url.protocol !== "file:" ? url : undefined;
}

/** Parses a string as a URL: an absolute one or, in a web page, a relative one that begins with a slash or a dot. */
function urlIn(text: string): URL | undefined {
  if (/^[a-z]{2,}:\/\//i.test(text)) return new URL(text);
  if (!/^\.{0,2}\//.test(text) || fileSystem()) return undefined;
  const { document, location } = globalThis as {
    document?: { baseURI: string };
    location?: { href: string };
  };
  const page = document?.baseURI ?? location?.href ?? "";
  return /^https?:/.test(page) ? new URL(text, page) : undefined;
}

/** Opens a file, or returns undefined if it does not exist. Reads at most its size and its first bytes. */
export async function findFile(source: FileSource, options: OpenOptions): Promise<OpenFile | undefined> {
  checkSignal(options.check.fn, options.signal);
  options.signal?.throwIfAborted();
  const name = sourceName(source);
  const reader = await rangeReader(source, name, options);
  if (!reader) return undefined;
  const { maxBytes = Infinity } = options;
  if (reader.size > maxBytes) refuseLarger(name, reader.size, options);
  return checkedFile(name, reader, options);
}

/** Opens a file, and throws an error if it does not exist. */
export async function openFile(source: FileSource, options: OpenOptions): Promise<OpenFile> {
  const file = await findFile(source, options);
  if (file) return file;
  const received = sourceName(source);
  if (sourceUrl(source)) {
    return options.check.refuse({
      received,
      expected: "a file, and the server answered 404 Not Found or with a page of its own",
      fix: "check the address, and whether it needs a login.",
    });
  }
  return options.check.refuse({
    received,
    expected: "a file that can be read, and this one does not exist",
    fix: "check the path; relative paths start from the folder the program was started in.",
  });
}

/** Reads an entire file. */
export const readWhole = (file: OpenFile): Promise<OwnBytes> => file.read(0, file.size);

/** A source whose results are not checked yet: `read` may return fewer bytes than requested. */
type RangeReader = {
  readonly size: number;
  /** True if the whole file was loaded, and its progress reported, when it was opened. Default false. */
  readonly preloaded?: boolean;
  read(
    start: number,
    end: number,
    signal: AbortSignal | undefined,
    onChunk: (count: number) => void,
  ): Promise<OwnBytes>;
};

/** Wraps a source: reads report progress, stop at an abort signal, and return exactly the requested bytes or throw an error. */
function checkedFile(name: string, { size, read, preloaded }: RangeReader, options: OpenOptions): OpenFile {
  const { check, onProgress } = options;
  let loaded = 0;
  return {
    name,
    fn: check.fn,
    size,
    async read(start, end, signal = options.signal) {
      signal?.throwIfAborted();
      const bytes = await read(start, end, signal, (count) => {
        loaded = Math.min(size, loaded + count);
        if (!preloaded) onProgress?.({ source: name, loaded, total: size });
        signal?.throwIfAborted();
      });
      signal?.throwIfAborted();
      if (bytes.length === end - start) return bytes;
      return check.refuse(
        {
          argument: `${name}: bytes ${start} to ${end - 1}`,
          received: `${bytes.length} bytes`,
          expected: `${end - start}`,
          fix: "the file has changed or is cut short; fetch it again.",
        },
        FormatError,
      );
    },
  };
}

async function rangeReader(
  source: FileSource,
  name: string,
  options: OpenOptions,
): Promise<RangeReader | undefined> {
  if (source instanceof ArrayBuffer) source = new Uint8Array(source);
  if (source instanceof Uint8Array) {
    const all = source;
    // A copy with its own buffer, since `slice` of a Node Buffer returns a view into a pool.
    return {
      size: all.length,
      read: async (start, end) => new Uint8Array(all.subarray(start, end)),
      preloaded: true,
    };
  }
  if (isBlob(source)) {
    const blob = source;
    return readInChunks(
      blob.size,
      name,
      options,
      async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
    );
  }
  const url = sourceUrl(source);
  if (url) return openUrl(url, options);
  if (typeof source === "string" || source instanceof URL) {
    const path = typeof source === "string" && source.startsWith("file://") ? new URL(source) : source;
    const file = await findOnDisk(path, options.within, options);
    return (
      file && {
        size: file.size,
        async read(start, end, _signal, onChunk) {
          const bytes = allocate(name, start, end, options);
          return bytes.subarray(0, await file.readInto(bytes, start, onChunk));
        },
      }
    );
  }
  if (isByteSource(source)) {
    const { size } = source;
    return {
      size,
      async read(start, end, signal, onChunk) {
        const bytes = new Uint8Array(await source.read(start, end, signal));
        onChunk(bytes.length);
        return bytes;
      },
    };
  }
  return options.check.refuse({
    received: source,
    expected: "bytes, a Blob, a URL, a path, or { size, read(start, end) }",
    fix: "for a file handle, give its size and a `read` that returns the bytes from start to end - 1.",
  });
}

const isBlob = (source: unknown): source is Blob => typeof Blob !== "undefined" && source instanceof Blob;

function isByteSource(source: unknown): source is ByteSource {
  const { size, read } = (source ?? {}) as Partial<ByteSource>;
  return typeof read === "function" && Number.isSafeInteger(size) && size! >= 0;
}

/** Bytes of a Blob per read: engines refuse very large reads, and the signal is checked between chunks. */
const blobChunkSize = 64 * 2 ** 20;

function readInChunks(
  size: number,
  name: string,
  options: Reader,
  read: (start: number, end: number) => Promise<OwnBytes>,
): RangeReader {
  return {
    size,
    async read(start, end, _signal, onChunk) {
      if (end - start <= blobChunkSize) {
        const bytes = await read(start, end);
        onChunk(bytes.length);
        return bytes;
      }
      const bytes = allocate(name, start, end, options);
      let at = 0;
      while (at < bytes.length) {
        const chunk = await read(start + at, Math.min(end, start + at + blobChunkSize));
        if (chunk.length === 0) break;
        bytes.set(chunk.subarray(0, bytes.length - at), at);
        at += chunk.length;
        onChunk(chunk.length);
      }
      return bytes.subarray(0, at);
    },
  };
}

/** Allocates memory for a range of a file. */
function allocate(name: string, start: number, end: number, { check }: Reader): OwnBytes {
  try {
    return new Uint8Array(end - start);
  } catch (cause) {
    return check.refuse(
      {
        argument: `${name}: bytes ${start} to ${end - 1}`,
        received: `${end - start} bytes`,
        expected: "as many as fit into memory at once",
        fix: "store the tensor in several smaller ones.",
        cause,
      },
      FormatError,
    );
  }
}

/** Bytes of the first request. The headers of most files are shorter. */
const firstRangeSize = 2 ** 16;

/** Opens a file on a server. */
async function openUrl(url: URL, options: OpenOptions): Promise<RangeReader | undefined> {
  const { transfer = "any" } = options;
  const first = await request(url, transfer === "whole" ? undefined : [0, firstRangeSize], options);
  if (!first) return undefined;
  if (first.status !== 206) {
    if (transfer === "ranges") {
      return refuseResponse(
        url,
        first,
        "the range of bytes asked for (206, with a Content-Range that the page may read)",
        "the server cannot give parts of a file: `readSafetensors(url)` reads it whole.",
        options,
      );
    }
    return download(url, first, options);
  }
  const { total } = first;
  if (total === undefined) {
    const expected = "the range of bytes asked for";
    return refuseResponse(url, first, expected, "take the file from another server.", options);
  }
  const head = await readBody(first);
  const tag = strongTag(first);
  return {
    size: total,
    async read(start, end, signal, onChunk) {
      const inHead = end <= head.length;
      if (inHead || end === start) {
        onChunk(end - start);
        return head.slice(start, end);
      }
      const range = [start, end] as const;
      const response = await request(url, range, signal ? { ...options, signal } : options);
      // If the file was replaced meanwhile, the bytes would be of two versions: none are returned, and the caller throws an error.
      if (response?.status !== 206 || response.total !== total || strongTag(response) !== tag) {
        await response?.cancel();
        return new Uint8Array(0);
      }
      const bytes = await readBody(response);
      onChunk(bytes.length);
      return bytes;
    },
  };
}

/** The strong ETag of a response, which identifies the content of a file, or undefined. */
function strongTag({ headers }: HttpResponse): string | undefined {
  const tag = headers.get("etag");
  return tag?.startsWith('"') ? tag : undefined;
}

/** Downloads an entire file from a server that does not support ranges. */
async function download(url: URL, response: HttpResponse, options: OpenOptions): Promise<RangeReader> {
  const { total, headers } = response;
  const { maxBytes = Infinity, onProgress } = options;
  const stated = headers.get("content-encoding") ? undefined : total;
  if (stated !== undefined && stated > maxBytes) {
    await response.cancel();
    refuseLarger(url.href, stated, options);
  }
  const bytes = await readBody(response, (loaded) =>
    onProgress?.({ source: url.href, loaded, total: stated }),
  );
  return { size: bytes.length, read: async (start, end) => bytes.slice(start, end), preloaded: true };
}

/** Requests a file or a range of it; undefined if the server does not have the file. */
async function request(
  url: URL,
  range: readonly [number, number] | undefined,
  options: OpenOptions,
): Promise<HttpResponse | undefined> {
  const response = await sendRequest(url, range ? { range } : {}, options);
  // An empty file has no valid range.
  if (response.status === 416 && range?.[0] === 0) {
    await response.cancel();
    return request(url, undefined, options);
  }
  if (isMissing(url, response)) {
    await response.cancel();
    return undefined;
  }
  if (response.status >= 200 && response.status < 300) return response;
  return refuseResponse(url, response, "a file", "check the address, and whether it needs a login.", options);
}

async function refuseResponse(
  { href }: URL,
  response: HttpResponse,
  expected: string,
  fix: string,
  { check }: Reader,
): Promise<never> {
  await response.cancel();
  const answered = `${response.status} ${response.statusText}`.trimEnd();
  return check.refuse({ received: href, expected: `${expected}, and the server answered ${answered}`, fix });
}

function refuseLarger(name: string, size: number, { check, maxBytes, kind }: OpenOptions): never {
  return check.refuse(
    {
      argument: name,
      received: `${size} bytes`,
      expected: `at most ${maxBytes} bytes, the limit of ${kind ?? "`maxBytes`"}`,
      fix: kind
        ? "check which file it is: no model has one of this size."
        : "allow more with `maxBytes`, if the source is trusted.",
    },
    FormatError,
  );
}
