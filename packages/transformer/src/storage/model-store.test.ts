/// <reference types="node" />
import { ArgumentError, checks, FormatError } from "@qkv/core";
import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { memoryCaches } from "@qkv/test-support/memory-caches";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ReadProgress } from "@qkv/core/byte-source";
import { findFile, openFile, readWhole } from "../loading/open-file.js";
import type { ContentChecksum } from "./content-checksum.js";
import { modelStore, type ModelStore } from "./model-store.js";
import { pieceSize } from "./piece-file.js";

// Two complete pieces and a part of a third.
const weights = Uint8Array.from({ length: 2 * pieceSize + 1000 }, (_, i) => (i * 7 + (i >> 13)) % 251);
const small = new TextEncoder().encode('{"one":1}');
const check = checks("read", { argument: "source" });

let server: FileServer;
let answer: (request: IncomingMessage, response: ServerResponse) => boolean;
let caches: ReturnType<typeof memoryCaches>;
let store: ModelStore;

beforeEach(async () => {
  answer = () => false;
  caches = memoryCaches();
  store = modelStore({ caches });
  server = await serveFiles(
    { "/m/config.json": small, "/m/model.safetensors": weights, "/m/empty": new Uint8Array(0) },
    (request, response) => answer(request, response),
  );
});
afterEach(() => server.close());

const read = async (
  name: string,
  more: { store?: ModelStore; onProgress?: (p: ReadProgress) => void } = {},
) =>
  readWhole(
    await openFile(`${server.site}/m/${name}`, { check, store, within: `${server.site}/m/`, ...more }),
  );

const requestedStart = (request: IncomingMessage) => /^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1];

/** SHA-256, for comparisons; comparing 16 million elements one by one takes a minute. */
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const weightsDigest = digest(weights);

/** Closes the connection after `count` bytes of the file. */
function interruptAfter(count: number): void {
  answer = (request, response) => {
    const first = Number(requestedStart(request));
    if (!request.url!.endsWith("model.safetensors") || first === 0) return false;
    response.writeHead(206, {
      "Content-Range": `bytes ${first}-${weights.length - 1}/${weights.length}`,
      "Content-Length": weights.length - first,
      ETag: '"one"',
    });
    response.write(weights.subarray(first, count), () => setTimeout(() => response.destroy(), 20));
    return true;
  };
}

test("a file is downloaded once, and any range is then read from the store", async () => {
  expect(await read("config.json")).toEqual(small);
  expect(digest(await read("model.safetensors"))).toBe(weightsDigest);
  expect((await read("empty")).length).toBe(0);
  const requestCount = server.requests.length;
  expect(digest(await read("model.safetensors"))).toBe(weightsDigest);
  const file = await openFile(`${server.site}/m/model.safetensors`, { check, store });
  for (const [start, end] of [
    [pieceSize - 3, pieceSize + 5],
    [weights.length - 5, weights.length],
    [0, 3],
    [10, 10],
  ] as const)
    expect(await file.read(start, end)).toEqual(weights.slice(start, end));
  expect(server.requests.length).toBe(requestCount);
  expect(file.name).toBe(`${server.site}/m/model.safetensors`);
});

test("an interrupted download resumes after the last complete piece", async () => {
  interruptAfter(2 * pieceSize + 500);
  await expect(read("model.safetensors")).rejects.toThrow(/connection failed or broke off/);
  const listed = await store.list();
  expect(listed).toMatchObject([{ files: [{ bytes: 2 * pieceSize, size: weights.length }] }]);
  answer = () => false;
  server.requests.length = 0;
  const loadedBytes: number[] = [];
  const onProgress = ({ loaded }: ReadProgress) => void loadedBytes.push(loaded);
  expect(digest(await read("model.safetensors", { onProgress }))).toBe(weightsDigest);
  expect(server.requests).toEqual([`GET /m/model.safetensors bytes=${2 * pieceSize}-${weights.length - 1}`]);
  expect(loadedBytes[0]).toBeGreaterThan(2 * pieceSize);
  expect(loadedBytes.at(-1)).toBe(weights.length);
});

test("a file that changed on the server during a download is downloaded again", async () => {
  interruptAfter(2 * pieceSize + 500);
  await expect(read("model.safetensors")).rejects.toThrow(/broke off/);
  const other = weights.slice().reverse();
  answer = (request, response) => {
    const first = Number(requestedStart(request));
    const end = Math.min(other.length, Number(/-(\d+)$/.exec(request.headers.range!)![1]) + 1);
    response.writeHead(206, { "Content-Range": `bytes ${first}-${end - 1}/${other.length}`, ETag: '"two"' });
    response.end(other.subarray(first, end));
    return true;
  };
  expect(digest(await read("model.safetensors"))).toBe(digest(other));
});

test("without range requests, an interrupted download starts over", async () => {
  let broken = true;
  answer = (_request, response) => {
    response.writeHead(200, { "Content-Length": weights.length });
    if (broken)
      response.write(weights.subarray(0, pieceSize + 5), () => setTimeout(() => response.destroy(), 20));
    else response.end(weights);
    return true;
  };
  await expect(read("model.safetensors")).rejects.toThrow(/broke off/);
  broken = false;
  expect(digest(await read("model.safetensors"))).toBe(weightsDigest);
});

const sums: Record<string, ContentChecksum> = {
  sha256: { algorithm: "sha256", digest: weightsDigest },
  "git-sha1": {
    algorithm: "git-sha1",
    digest: createHash("sha1").update(`blob ${weights.length}\0`).update(weights).digest("hex"),
  },
};

test.each(Object.keys(sums))(
  "the %s of the hub is verified, also after an interrupted download",
  async (name) => {
    const url = `${server.site}/m/model.safetensors`;
    const reading = { check, store, stored: { model: "owner/one", checksum: sums[name]! } };
    interruptAfter(2 * pieceSize);
    await expect(findFile(url, reading)).rejects.toThrow(/broke off/);
    answer = () => false;
    expect((await findFile(url, reading))?.size).toBe(weights.length);
    await store.delete("owner/one");
    const wrong = { ...reading.stored, checksum: { ...sums[name]!, digest: "0".repeat(40) } };
    const error: unknown = await findFile(url, { ...reading, stored: wrong }).catch(
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(
      /`http:.*model.safetensors` is "16778216 bytes of another .*0{40}, as the hub/,
    );
    expect(await store.list()).toEqual([]);
  },
);

test("changed bytes in the store are refused with the file name, and the next read downloads it again", async () => {
  await read("model.safetensors");
  const [address, piece] = [...caches.entries].find(([url]) => url.endsWith("piece=1"))!;
  const bytes = new Uint8Array(await piece.clone().arrayBuffer());
  bytes[17]! ^= 1;
  caches.entries.set(address, new Response(bytes, { headers: piece.headers }));
  const error: unknown = await read("model.safetensors").catch((error: unknown) => error);
  expect(error).toBeInstanceOf(FormatError);
  expect((error as Error).message).toMatch(/model.safetensors: bytes 8388608 to 16777215` is "other bytes/);
  expect(digest(await read("model.safetensors"))).toBe(weightsDigest);
});

test("offline, stored files are read, files known to be missing are undefined, and others are refused", async () => {
  await read("config.json");
  const within = `${server.site}/m/`;
  expect(await findFile(`${server.site}/m/none`, { check, store, within })).toBeUndefined();
  server.requests.length = 0;
  const offline = modelStore({ caches, offline: true });
  expect(await read("config.json", { store: offline })).toEqual(small);
  expect(await findFile(`${server.site}/m/none`, { check, store: offline, within })).toBeUndefined();
  await expect(read("model.safetensors", { store: offline })).rejects.toThrow(
    /"http:.*model.safetensors", expected a file that is stored, as `offline` asks for, and it is not/,
  );
  expect(server.requests).toEqual([]);
});

test("list gives models with their sizes, and delete removes them", async () => {
  await read("config.json");
  await read("model.safetensors");
  await openFile(`${server.site}/m/config.json?revision=2`, { check, store, stored: { model: "another" } });
  const model = `${server.site}/m/`;
  expect(await store.list()).toMatchObject([
    { model: "another", bytes: small.length },
    {
      model,
      bytes: small.length + weights.length,
      files: [{ size: small.length }, { size: weights.length }],
    },
  ]);
  expect(await store.delete(model)).toBe(small.length + weights.length);
  expect(await store.delete(model)).toBe(0);
  expect((await store.list()).map((stored) => stored.model)).toEqual(["another"]);
  expect([...caches.entries.keys()].length).toBe(2);
});

test("an HTML page, an error status and a response without length are refused and not stored", async () => {
  const bodies: [Record<string, string>, number, RegExp][] = [
    [{ "Content-Type": "text/html" }, 200, /answered 404 Not Found or with a page of its own/],
    [{}, 403, /the server answered 403 Forbidden/],
    [{ "Transfer-Encoding": "chunked" }, 200, /an answer that states how long the file is/],
  ];
  for (const [headers, status, message] of bodies) {
    answer = (_request, response) => {
      response.writeHead(status, headers);
      response.write("<p>");
      response.end();
      return true;
    };
    await expect(read("config.json")).rejects.toThrow(message);
    expect(await store.list()).toEqual([]);
  }
  answer = () => false;
  await expect(read("none")).rejects.toThrow(/answered 404/);
  await expect(
    openFile(`${server.site}/m/config.json`, { check, store, maxBytes: 5, kind: "a configuration" }),
  ).rejects.toThrow(/is "9 bytes", expected at most 5 bytes, the limit of a configuration/);
  expect(await store.list()).toEqual([]);
});

test("a full store is refused, with the fix to delete models", async () => {
  caches.open = async () =>
    ({
      match: async () => undefined,
      keys: async () => [],
      delete: async () => false,
      put: async (url: string) => {
        if (url.includes("piece")) throw new DOMException("full", "QuotaExceededError");
      },
    }) as unknown as Cache;
  await expect(read("model.safetensors")).rejects.toThrow(
    /has room for.\nFix: delete models.*store.list\(\)/,
  );
});

test("a platform without the Cache API is refused", () => {
  expect(() => modelStore()).toThrow(ArgumentError);
  expect(() => modelStore()).toThrow(
    /modelStore: `caches` is undefined, expected the Cache API of a page or worker/,
  );
});
