import { hexadecimal } from "./content-checksum.js";

/** Bytes per piece: at most this many are lost when a page is closed during a download. */
export const pieceSize = 2 ** 23;

/** The state of a file in a cache. */
export type Head = {
  /** The model that the file belongs to. */
  model: string;
  /** `part`: the download is incomplete; `whole`: the file is complete; `absent`: it does not exist on the server. */
  state: "part" | "whole" | "absent";
  /** Size of the complete file. Unit: bytes. */
  size: number;
  /** The strong ETag of the download; empty if the server sent none. */
  tag: string;
};

/** A file in a cache: its state is stored under its URL, its pieces under the URL with their number. */
export type PieceFile = {
  head(): Promise<Head | undefined>;
  setHead(head: Head): Promise<void>;
  /** Number of stored pieces before the first missing one. */
  count(): Promise<number>;
  /** Reads a piece; undefined if it is missing or damaged. */
  piece(index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  setPiece(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  clear(): Promise<void>;
};

const numberName = "qkv-piece";
const digestName = "qkv-sha256";

/** A file of a cache, by its URL. The state and each piece are written atomically, like all cache entries. */
export function pieceFile(cache: Cache, url: URL): PieceFile {
  const address = (index: number): string => {
    const pieceUrl = new URL(url);
    pieceUrl.search += `${pieceUrl.search === "" ? "?" : "&"}${numberName}=${index}`;
    return pieceUrl.href;
  };
  /** The URLs of the stored state and pieces. */
  const addresses = async () => {
    const requests = await cache.keys(url.href, { ignoreSearch: true });
    return requests
      .map((request) => request.url)
      .filter((stored) => parseAddress(stored).address === url.href);
  };
  return {
    async count() {
      const storedAddresses = new Set(await addresses());
      let index = 0;
      while (storedAddresses.has(address(index))) index++;
      return index;
    },
    async head() {
      const response = await cache.match(url.href);
      return response && ((await response.json()) as Head);
    },
    setHead: (head) => cache.put(url.href, new Response(JSON.stringify(head))),
    async piece(index) {
      const response = await cache.match(address(index));
      if (!response) return undefined;
      const bytes = new Uint8Array(await response.arrayBuffer());
      return response.headers.get(digestName) === (await digest(bytes)) ? bytes : undefined;
    },
    async setPiece(index, bytes) {
      const headers = { [digestName]: await digest(bytes) };
      await cache.put(address(index), new Response(bytes, { headers }));
    },
    async clear() {
      // The state is deleted first: pieces without a state are never read.
      await cache.delete(url.href);
      for (const stored of await addresses()) await cache.delete(stored);
    },
  };
}

/** The URL of a file, and the number of the piece; undefined for the state. */
export function parseAddress(text: string): { address: string; index: number | undefined } {
  const [, address = text, number] = new RegExp(`^(.*)[?&]${numberName}=(\\d+)$`).exec(text) ?? [];
  return { address, index: number === undefined ? undefined : Number(number) };
}

const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  hexadecimal(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
