import { checks, FormatError } from "@qkv/core";
import type { ByteSource, Reader, ReadOptions } from "@qkv/core/byte-source";
import type { ContentChecksum } from "./content-checksum.js";
import { parseAddress, pieceFile, pieceSize, type Head, type PieceFile } from "./piece-file.js";

/**
 * A request for a file on a server.
 *
 * @experimental
 */
export type StoredFileRequest = {
  /** Name of the model, as listed by the store: a repository, or a URL. */
  model: string;
  /** Checksum of its content, where it is known. */
  checksum?: ContentChecksum;
  /** True: no requests are sent. Default: the option of the store. */
  offline?: boolean;
  /** Options for downloading, and the function that errors name. */
  reading: Reader & ReadOptions;
};

/**
 * A model in a store.
 *
 * @experimental
 */
export type StoredModel = {
  /** The repository, or the address of the folder or file. */
  model: string;
  /** Stored bytes. */
  bytes: number;
  /** Its files. If `bytes` is less than `size`, the download is incomplete, and the next load continues it. */
  files: { url: string; bytes: number; size: number }[];
};

/**
 * A store for downloaded files that persists between visits. Created by {@link modelStore}.
 *
 * @experimental
 */
export type ModelStore = {
  /** Opens a file; downloads and stores it if necessary. Undefined if it does not exist. */
  find(url: URL, request: StoredFileRequest): Promise<StoredFile | undefined>;
  /** Lists the models, sorted by name. */
  list(): Promise<StoredModel[]>;
  /** Deletes a model, complete or not, and returns the number of deleted bytes. */
  delete(model: string): Promise<number>;
};

/**
 * A file of a store.
 *
 * @experimental
 */
export type StoredFile = ByteSource & {
  /** True if it was downloaded now, with calls of `onProgress`. */
  readonly isNew: boolean;
};

/**
 * Options of {@link modelStore}.
 *
 * @experimental
 */
export type ModelStoreOptions = {
  /** Name of the cache in the Cache API. Default: `qkv-models`. */
  name?: string;
  /** True: no requests are sent, and a missing file is an error. Default: false. */
  offline?: boolean;
  /** A `CacheStorage`, for other hosts. Default: `caches` of the page or worker. */
  caches?: CacheStorage;
};

/**
 * Stores models in the browser: `load(url, { store: modelStore() })` downloads each file once. If a download is
 * interrupted, because the page is closed or the network fails, the next one continues after the last piece of 8 MiB. A file is used
 * when it is complete and, if the hub states its SHA-256, when this matches. If stored bytes have changed since,
 * an error names the file.
 *
 * Files are stored in the Cache API, which is available in pages and workers of all browsers, on https and on localhost. Browsers may clear
 * it when storage is low, unless `navigator.storage.persist()` was granted.
 *
 * @throws {ArgumentError} If there is no Cache API, as in Node, where `load` uses the hub's cache on disk.
 * @see "Service Workers", W3C, section 5, "Caches"; "Storage Standard", WHATWG
 * @experimental
 *
 * @example
 * ```ts
 * import { modelStore } from "@qkv/transformer";
 *
 * // In a page: const store = modelStore();
 * // const model = await load("Qwen/Qwen3-0.6B", { store, onProgress });
 * // await store.list(); // [{ model: "Qwen/Qwen3-0.6B", bytes, files }]
 * modelStore(); // => throws ArgumentError
 * ```
 */
export function modelStore(options?: ModelStoreOptions): ModelStore {
  const check = checks("modelStore");
  const given = check.options(options, ["name", "offline", "caches"]);
  const { name = "qkv-models", offline = false, caches: storage = pageCaches() } = given;
  if (typeof storage?.open !== "function") {
    return check.refuse({
      argument: "caches",
      received: storage,
      expected: "the Cache API of a page or worker, on https or localhost",
      fix: "in Node, leave `store` out: `load` reads and fills the hub's cache on the disk.",
    });
  }
  const open = () => storage.open(name);
  return {
    async find(url, { model, checksum, offline: isOffline = offline, reading }) {
      const address = new URL(url);
      address.hash = "";
      const file = pieceFile(await open(), address);
      const knownHead = await file.head();
      if (knownHead?.state === "whole") return storedFile(address, knownHead, file, reading, false);
      if (isOffline) {
        if (knownHead?.state === "absent") return undefined;
        return reading.check.refuse({
          received: address.href,
          expected: `a file that is stored, as \`offline\` asks for, and ${knownHead ? "only a part of it is" : "it is not"}`,
          fix: "load it once without `offline`.",
        });
      }
      // If two pages load it at the same time, one downloads it, and the other uses the stored file.
      return withLock(`${name} ${address.href}`, reading.signal, async () => {
        const lockedHead = await file.head();
        if (lockedHead?.state === "whole") return storedFile(address, lockedHead, file, reading, false);
        // A separate chunk, which pages with stored models do not load.
        const { download } = await import("./download.js");
        const head = await download({ url: address, file, model, checksum, reading });
        // The caller refuses files of this size.
        if (head && "tooLarge" in head)
          return { size: head.tooLarge, read: refuseRead, isNew: true, name: address.href };
        return head && storedFile(address, head, file, reading, true);
      });
    },
    list: async () => listModels(await open()),
    async delete(model) {
      const cache = await open();
      const found = (await listModels(cache)).find((stored) => stored.model === model);
      for (const url of await modelUrls(cache, model)) await pieceFile(cache, new URL(url)).clear();
      return found?.bytes ?? 0;
    },
  };
}

const pageCaches = (): CacheStorage | undefined => (globalThis as { caches?: CacheStorage }).caches;

const refuseRead = (): never => {
  throw new Error("A file that is too large is not read.");
};

/** Reads a complete file. The latest piece stays in memory, because tensors are usually read in order. */
function storedFile(
  url: URL,
  { size, model }: Head,
  file: PieceFile,
  { check }: Reader,
  isNew: boolean,
): StoredFile {
  let latest: { index: number; bytes: Uint8Array } | undefined;
  const pieceAt = async (index: number): Promise<Uint8Array> => {
    if (latest?.index === index) return latest.bytes;
    const bytes = await file.piece(index);
    const start = index * pieceSize;
    const expected = Math.min(pieceSize, size - start);
    if (bytes?.length !== expected) {
      await file.clear();
      return check.refuse(
        {
          argument: `${url.href}: bytes ${start} to ${start + expected - 1}`,
          received: "other bytes in the browser's store, or none",
          expected: "the bytes that were downloaded",
          fix: `load ${model} again: the damaged file was removed and is downloaded anew.`,
        },
        FormatError,
      );
    }
    latest = { index, bytes };
    return bytes;
  };
  return {
    name: url.href,
    size,
    isNew,
    async read(start, end, signal) {
      const bytes = new Uint8Array(end - start);
      for (let index = Math.floor(start / pieceSize); index * pieceSize < end; index++) {
        signal?.throwIfAborted();
        const piece = await pieceAt(index);
        const pieceStart = index * pieceSize;
        bytes.set(
          piece.subarray(Math.max(0, start - pieceStart), end - pieceStart),
          Math.max(0, pieceStart - start),
        );
      }
      return bytes;
    },
  };
}

/** Runs a function exclusively among the pages of an origin, if the browser supports Web Locks. */
async function withLock<T>(
  name: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const { locks } = (globalThis as { navigator?: Partial<Navigator> }).navigator ?? {};
  return locks ? locks.request(name, signal ? { signal } : {}, work) : work();
}

/** The file states in a cache by URL, and the stored bytes of each file. */
async function storedFiles(cache: Cache): Promise<Map<string, { head: Head; bytes: number }>> {
  const files = new Map<string, { head: Head; bytes: number }>();
  const counts = new Map<string, number>();
  for (const { url } of await cache.keys()) {
    const { address, index } = parseAddress(url);
    if (index !== undefined) counts.set(address, (counts.get(address) ?? 0) + 1);
    else {
      const head = await pieceFile(cache, new URL(address)).head();
      if (head) files.set(address, { head, bytes: 0 });
    }
  }
  for (const [address, count] of counts) {
    const file = files.get(address);
    if (file) file.bytes = Math.min(count * pieceSize, file.head.size);
  }
  return files;
}

async function modelUrls(cache: Cache, model: string): Promise<string[]> {
  const files = await storedFiles(cache);
  return [...files].flatMap(([url, { head }]) => (head.model === model ? [url] : []));
}

async function listModels(cache: Cache): Promise<StoredModel[]> {
  const models = new Map<string, StoredModel>();
  for (const [url, { head, bytes }] of await storedFiles(cache)) {
    if (head.state === "absent") continue;
    const model = models.get(head.model) ?? { model: head.model, bytes: 0, files: [] };
    models.set(head.model, model);
    model.bytes += bytes;
    model.files.push({ url, bytes, size: head.size });
  }
  return [...models.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
}
