import { ArgumentError } from "@qkv/core";

/** A file: its bytes, a path (in Node), or a URL. */
export type Source = Uint8Array | string | URL;

/** How far loading has come. Unit: bytes. `total` is undefined where a server does not tell. */
export type Progress = { source: string; loaded: number; total: number | undefined };

export type ReadOptions = {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
};

/** What a source is called in messages. */
export function nameOf(source: Source): string {
  return source instanceof Uint8Array ? `${source.length} bytes` : String(source);
}

/** The bytes of a source, whole. */
export async function readSource(source: Source, options: ReadOptions = {}): Promise<Uint8Array> {
  options.signal?.throwIfAborted();
  if (source instanceof Uint8Array) return source;
  const url = source instanceof URL ? source : /^[a-z]{2,}:\/\//i.test(source) ? new URL(source) : undefined;
  if (url && url.protocol !== "file:") return fetchBytes(url, options);
  return readFile(url ?? (source as string), options);
}

/** What is used of Node's `fs/promises`. */
type FileSystem = {
  open(path: string | URL): Promise<{
    stat(): Promise<{ size: number }>;
    read(to: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
    close(): Promise<void>;
  }>;
};

/** Bytes read at a time from a file: large enough to be fast, small enough to stop soon. */
const chunkSize = 4 * 2 ** 20;

async function readFile(path: string | URL, { signal, onProgress }: ReadOptions): Promise<Uint8Array> {
  // Asked for at run time, so that bundlers for the browser have nothing to resolve.
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): FileSystem | undefined } };
  const fs = process?.getBuiltinModule?.("node:fs/promises");
  if (!fs) {
    throw new ArgumentError({
      fn: "load",
      argument: "source",
      received: String(path),
      expected: "a URL or bytes, where there is no file system",
      fix: "fetch the file, or read it from an <input type=file>, and pass its bytes.",
    });
  }
  const source = String(path);
  try {
    const file = await fs.open(path);
    try {
      const total = (await file.stat()).size;
      const bytes = new Uint8Array(total);
      for (let loaded = 0; loaded < total;) {
        signal?.throwIfAborted();
        const { bytesRead } = await file.read(bytes, loaded, Math.min(chunkSize, total - loaded), loaded);
        if (bytesRead === 0) return bytes.subarray(0, loaded);
        loaded += bytesRead;
        onProgress?.({ source, loaded, total });
      }
      return bytes;
    } finally {
      await file.close();
    }
  } catch (cause) {
    // Errors of the file system have words for codes; others, such as the signal's reason, are not ours to retell.
    const { code } = cause as { code?: unknown };
    if (signal?.aborted || typeof code !== "string") throw cause;
    const reasons: Record<string, string> = {
      ENOENT: "does not exist",
      EISDIR: "is a folder",
      EACCES: "may not be read",
    };
    throw new ArgumentError({
      fn: "load",
      argument: "source",
      received: source,
      expected: `a file that can be read, and this one ${reasons[code] ?? `gives ${code}`}`,
      fix: "check the path; relative paths start from the folder the program was started in.",
      cause,
    });
  }
}

async function fetchBytes(url: URL, { signal, onProgress }: ReadOptions): Promise<Uint8Array> {
  const connected = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw new ArgumentError({
        fn: "load",
        argument: "source",
        received: url.href,
        expected: "an address that can be reached, and the connection failed or broke off",
        fix: "check the address and the network; in a page, whether the server allows requests from it.",
        cause,
      });
    });
  const response = await connected(fetch(url, signal ? { signal } : {}));
  if (!response.ok || !response.body) {
    throw new ArgumentError({
      fn: "load",
      argument: "source",
      received: url.href,
      expected: `a file, and the server answered ${response.status} ${response.statusText}`,
      fix: "check the address, and whether it needs a login.",
    });
  }
  const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
  const total = length === null ? undefined : Number(length);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await connected(reader.read());
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
