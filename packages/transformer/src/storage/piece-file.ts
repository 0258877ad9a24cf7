import { hexadecimal } from "./content-checksum.js";

/** Bytes of a piece: at most so many are lost when a page is closed in the middle of a download. */
export const pieceSize = 2 ** 23;

/** The state of a file in a cache. */
export type Head = {
  /** The model that the file belongs to. */
  model: string;
  /** `part`: its download goes on where it ended; `whole`: it can be read; `absent`: the server has no such file. */
  state: "part" | "whole" | "absent";
  /** Bytes of the whole file. */
  size: number;
  /** The strong ETag under which the server gave it; empty if it gave none. */
  tag: string;
};

/** A file in a cache: its head under its address, its pieces under the address with their number. */
export type PieceFile = {
  head(): Promise<Head | undefined>;
  setHead(head: Head): Promise<void>;
  /** Number of pieces that are there, from the first to where one is missing. */
  count(): Promise<number>;
  /** A piece; undefined if it is missing, or its bytes are not those that were stored. */
  piece(index: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  setPiece(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  clear(): Promise<void>;
};

const numberName = "qkv-piece";
const digestName = "qkv-sha256";

/** A file of a cache, by its address. A piece and a head appear whole or not at all, as all entries of a cache do. */
export function pieceFile(cache: Cache, url: URL): PieceFile {
  const address = (index: number): string => {
    const at = new URL(url);
    at.search += `${at.search === "" ? "?" : "&"}${numberName}=${index}`;
    return at.href;
  };
  /** The addresses of head and pieces that are there. */
  const addresses = async () => {
    const requests = await cache.keys(url.href, { ignoreSearch: true });
    return requests.map((request) => request.url).filter((one) => parseAddress(one).address === url.href);
  };
  return {
    async count() {
      const kept = new Set(await addresses());
      let index = 0;
      while (kept.has(address(index))) index++;
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
      // The head first: pieces without one are never read.
      await cache.delete(url.href);
      for (const one of await addresses()) await cache.delete(one);
    },
  };
}

/** The address of a file, and the number of the piece; undefined for that of a head. */
export function parseAddress(text: string): { address: string; index: number | undefined } {
  const [, address = text, number] = new RegExp(`^(.*)[?&]${numberName}=(\\d+)$`).exec(text) ?? [];
  return { address, index: number === undefined ? undefined : Number(number) };
}

const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  hexadecimal(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
