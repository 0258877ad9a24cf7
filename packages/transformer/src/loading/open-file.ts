import { ArgumentError, FormatError } from "@qkv/core";
import { fileSystem } from "./file-system.js";

/** A file: its bytes, a Blob or File, a path (in Node), or a URL. */
export type Source = Uint8Array | Blob | string | URL;

/** How far loading of a file has come. Unit: bytes. `total` is undefined where a server does not tell. */
export type Progress = { source: string; loaded: number; total: number | undefined };

export type ReadOptions = {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
};

/** A file whose stretches are read as they are needed; nothing has to be closed. */
export type OpenFile = {
  /** What it is called in messages. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Bytes `start` to `end - 1`, in an array that is not used again. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
};

/** What a source is called in messages. */
export function nameOf(source: Source): string {
  if (source instanceof Uint8Array) return `${source.length} bytes`;
  if (isBlob(source)) return "name" in source ? String(source.name) : `blob of ${source.size} bytes`;
  return String(source);
}

/** The address of a source on a server; undefined for all others. */
export function addressOf(source: Source): URL | undefined {
  const text = typeof source === "string" && /^[a-z]{2,}:\/\//i.test(source);
  const url = source instanceof URL ? source : text ? new URL(source) : undefined;
  return url && url.protocol !== "file:" ? url : undefined;
}

/** Opens a file, of which nothing but its size has been read. `undefined` if there is none by that name. */
export async function findFile(source: Source, options: ReadOptions = {}): Promise<OpenFile | undefined> {
  options.signal?.throwIfAborted();
  const found = await findStretches(source, options);
  return found && told(nameOf(source), found, options);
}

/** Opens a file that must be there. */
export async function openFile(source: Source, options: ReadOptions = {}): Promise<OpenFile> {
  const file = await findFile(source, options);
  if (file) return file;
  const url = addressOf(source);
  throw refuse(
    nameOf(source),
    url
      ? "a file, and the server answered 404 Not Found"
      : "a file that can be read, and this one does not exist",
    url
      ? "check the address, and whether it needs a login."
      : "check the path; relative paths start from the folder the program was started in.",
  );
}

/** The whole of a file. */
export const readWhole = (file: OpenFile): Promise<Uint8Array<ArrayBuffer>> => file.read(0, file.size);

type Stretches = Omit<OpenFile, "name"> & {
  /** Whether the bytes arrived, and were told of, when the file was opened. */
  arrived?: boolean;
};

/** A file that tells of what it reads, stops at a signal, and gives what it is asked for or an error. */
function told(
  name: string,
  { size, read, arrived }: Stretches,
  { signal, onProgress }: ReadOptions,
): OpenFile {
  let loaded = 0;
  return {
    name,
    size,
    async read(start, end) {
      signal?.throwIfAborted();
      const bytes = await read(start, end);
      if (bytes.length !== end - start) {
        throw new FormatError({
          fn: "load",
          argument: `${name}: bytes ${start} to ${end - 1}`,
          received: `${bytes.length} bytes`,
          expected: `${end - start}`,
          fix: "the file has changed or is cut short; fetch it again.",
        });
      }
      loaded = Math.min(size, loaded + bytes.length);
      if (!arrived) onProgress?.({ source: name, loaded, total: size });
      signal?.throwIfAborted();
      return bytes;
    },
  };
}

async function findStretches(source: Source, options: ReadOptions): Promise<Stretches | undefined> {
  if (source instanceof Uint8Array) {
    return {
      size: source.length,
      read: async (start, end) => new Uint8Array(source.subarray(start, end)),
      arrived: true,
    };
  }
  if (isBlob(source)) {
    const read = async (start: number, end: number) =>
      new Uint8Array(await source.slice(start, end).arrayBuffer());
    return { size: source.size, read };
  }
  const url = addressOf(source);
  if (url) return fetched(url, options);
  return onDisk(typeof source === "string" && source.startsWith("file://") ? new URL(source) : source);
}

const isBlob = (source: unknown): source is Blob => typeof Blob !== "undefined" && source instanceof Blob;

async function onDisk(path: string | URL): Promise<Stretches | undefined> {
  const source = String(path);
  const fs = fileSystem();
  if (!fs) {
    throw refuse(
      source,
      "a URL or bytes, where there is no file system",
      "fetch the file, or read it from an <input type=file>, and pass its bytes.",
    );
  }
  try {
    const found = await fs.stat(path).catch((error: { code?: unknown }) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (!found) return undefined;
    if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    return {
      size: found.size,
      async read(start, end) {
        const bytes = new Uint8Array(end - start);
        const file = await fs.open(path);
        try {
          let at = 0;
          while (at < bytes.length) {
            const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
            if (bytesRead === 0) break;
            at += bytesRead;
          }
          return bytes.subarray(0, at);
        } finally {
          await file.close();
        }
      },
    };
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code !== "string") throw cause;
    const reasons: Record<string, string> = { EISDIR: "is a folder", EACCES: "may not be read" };
    throw refuse(
      source,
      `a file that can be read, and this one ${reasons[code] ?? `gives ${code}`}`,
      "check the path; relative paths start from the folder the program was started in.",
      cause,
    );
  }
}

/** Bytes of the first request: the headers of most files are shorter. */
const headSize = 2 ** 16;

/** A file on a server, read by ranges; whole, where the server does not give ranges. */
async function fetched(url: URL, options: ReadOptions): Promise<Stretches | undefined> {
  const first = await request(url, [0, headSize], options.signal);
  if (first.status === 404) {
    await first.body?.cancel();
    return undefined;
  }
  const total = totalOf(first, 0);
  if (total === undefined) {
    if (first.status === 206) throw await refuseAnswer(url, first);
    const whole = await wholeBody(url, first, options);
    return { size: whole.length, read: async (start, end) => whole.slice(start, end), arrived: true };
  }
  const head = await bodyOf(url, first, options.signal);
  return {
    size: total,
    async read(start, end) {
      if (end <= head.length) return head.slice(start, end);
      if (end === start) return new Uint8Array(0);
      const response = await request(url, [start, end], options.signal);
      // A file that was replaced meanwhile is not read half and half; a wrong length is refused by who asked.
      const same = totalOf(response, start) === total;
      if (!same) await response.body?.cancel();
      return same ? bodyOf(url, response, options.signal) : new Uint8Array(0);
    },
  };
}

/** The size that a 206 tells, if it gives bytes from `start` on. */
function totalOf(response: Response, start: number): number | undefined {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
  return response.status === 206 && Number(first) === start ? Number(total) : undefined;
}

async function request(url: URL, [start, end]: [number, number], signal: AbortSignal | undefined) {
  const headers = { Range: `bytes=${start}-${end - 1}` };
  const response = await connected(url, signal, fetch(url, { headers, ...(signal && { signal }) }));
  // An empty file has no range to give.
  if (response.status === 416 && start === 0)
    return connected(url, signal, fetch(url, signal ? { signal } : {}));
  if (response.ok || (response.status === 404 && start === 0)) return response;
  throw await refuseAnswer(url, response);
}

async function bodyOf(url: URL, response: Response, signal: AbortSignal | undefined) {
  return new Uint8Array(await connected(url, signal, response.arrayBuffer()));
}

/** What a server sends that gives no ranges, as it comes. */
async function wholeBody(url: URL, response: Response, { signal, onProgress }: ReadOptions) {
  const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
  const total = length === null ? undefined : Number(length);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const { done, value } = await connected(url, signal, reader.read());
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress?.({ source: url.href, loaded, total });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** What the network does wrong, told as an error of ours; an abort stays the signal's reason. */
function connected<T>(url: URL, signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    if (signal?.aborted) throw cause;
    throw refuse(
      url.href,
      "an address that can be reached, and the connection failed or broke off",
      "check the address and the network; in a page, whether the server allows requests from it.",
      cause,
    );
  });
}

async function refuseAnswer(url: URL, response: Response): Promise<ArgumentError> {
  await response.body?.cancel();
  return refuse(
    url.href,
    `a file, and the server answered ${response.status} ${response.statusText}`.trimEnd(),
    "check the address, and whether it needs a login.",
  );
}

function refuse(received: string, expected: string, fix: string, cause?: unknown): ArgumentError {
  return new ArgumentError({ fn: "load", argument: "source", received, expected, fix, cause });
}
