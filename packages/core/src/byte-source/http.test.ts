/// <reference types="node" />
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { checks } from "../bound-checks.js";
import { ArgumentError, FormatError, isQkvError } from "../errors.js";
import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { findFile, openFile, readWhole, sourceUrl, type OpenOptions } from "./open-file.js";

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
const caller = { check: checks("read", { argument: "source" }) };

/** Misbehaving responses by path. A handler that returns true leaves the response to the file server. */
const handlers: Record<string, (response: ServerResponse, range: string | undefined) => unknown> = {
  // No response at all.
  silent: () => {},
  // The headers, and then nothing.
  "silent-body": (response) =>
    void response.writeHead(200, { "Content-Length": bytes.length }).flushHeaders(),
  // A part of the body, and then nothing.
  "silent-middle": (response) =>
    void response.writeHead(200, { "Content-Length": bytes.length }).write(bytes.subarray(0, 1000)),
  // A byte from time to time: slow, but never idle for long.
  slow(response) {
    let at = 0;
    response.writeHead(200, { "Content-Length": 5 });
    const timer = setInterval(() => {
      response.write(bytes.subarray(at, at + 1));
      if (++at === 5) {
        clearInterval(timer);
        response.end();
      }
    }, 60);
  },
  // A body without an end and without a length.
  endless: (response) => endless(response, 200, {}),
  "endless-range": (response) => endless(response, 206, { "Content-Range": `bytes 0-65535/${bytes.length}` }),
  // 206 with the whole file.
  longer: (response) =>
    void response.writeHead(206, { "Content-Range": `bytes 0-65535/${bytes.length}` }).end(bytes),
  // 206 for another range than the requested one.
  shifted: (response) =>
    void response
      .writeHead(206, { "Content-Range": `bytes 5-65535/${bytes.length}` })
      .end(bytes.subarray(5, 65536)),
  shorter: (response) =>
    void response
      .writeHead(206, { "Content-Range": `bytes 0-999/${bytes.length}` })
      .end(bytes.subarray(0, 1000)),
  unsized: (response) =>
    void response.writeHead(206, { "Content-Range": "bytes 0-65535/*" }).end(bytes.subarray(0, 65536)),
  plain: (response) => void response.writeHead(200, { "Content-Length": bytes.length }).end(bytes),
  chunked: (response) => void response.writeHead(200).end(bytes),
  // 2 MB of zeros, compressed to 2 kB.
  bomb: (response) =>
    void response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync(new Uint8Array(2_000_000))),
  broken: (response) =>
    void response
      .writeHead(200, { "Content-Length": bytes.length })
      .write(bytes.subarray(0, 1000), () => response.destroy()),
  // The second response is another file of the same size.
  replaced(response, range) {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "")!;
    response.writeHead(206, {
      "Content-Range": `bytes ${first}-${last}/${bytes.length}`,
      ETag: first === "0" ? '"one"' : '"two"',
    });
    response.end(bytes.subarray(Number(first), Number(last) + 1));
  },
  // The second response is the whole file instead of a range.
  "whole-again"(response, range) {
    if (range === "bytes=0-65535") return true;
    response.writeHead(200, { "Content-Length": bytes.length }).end(bytes);
  },
  // Servers of single-page applications send their page for unknown paths.
  "app.json": (response) =>
    void response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end("<p>"),
  "app.html": (response) => void response.writeHead(200, { "Content-Type": "text/html" }).end(bytes),
  failing: (response) => void response.writeHead(503).end("later"),
};

function endless(response: ServerResponse, status: number, headers: Record<string, string>): void {
  response.writeHead(status, headers);
  const more = () => {
    while (!response.destroyed && response.write(bytes));
    if (!response.destroyed) response.once("drain", more);
  };
  more();
}

let server: FileServer;
beforeAll(async () => {
  const files = { "/good": bytes, "/empty": new Uint8Array(0), "/whole-again": bytes };
  server = await serveFiles(files, (request, response) => {
    const handler = handlers[request.url!.slice(1)];
    return handler !== undefined && handler(response, request.headers.range) !== true;
  });
});
afterAll(() => server.close());

const at = (path: string, options: Partial<OpenOptions> = {}) =>
  openFile(`${server.site}/${path}`, { ...caller, ...options });
const all = async (path: string, options: Partial<OpenOptions> = {}) => readWhole(await at(path, options));

test("a file on a server is read in ranges, or as a whole if the server does not support them; it may be empty", async () => {
  for (const path of ["good", "plain", "chunked"]) expect(await all(path)).toEqual(bytes);
  expect(await all("good", { transfer: "whole" })).toEqual(bytes);
  expect((await at("empty")).size).toBe(0);
  const file = await at("good");
  expect(await file.read(100_000, 100_003)).toEqual(bytes.slice(100_000, 100_003));
  expect(await findFile(`${server.site}/none`, caller)).toBeUndefined();
  await expect(at("none")).rejects.toThrow(/answered 404/);
  await expect(at("failing")).rejects.toThrow(/answered 503 Service Unavailable/);
});

test("an HTML page in place of a file counts as a missing file", async () => {
  expect(await findFile(`${server.site}/app.json`, caller)).toBeUndefined();
  await expect(at("app.json")).rejects.toThrow(/answered 404 Not Found or with a page of its own/);
  expect(await all("app.html")).toEqual(bytes);
});

test("in a page, a path that begins with a slash or a dot is an address on its server", () => {
  const addresses = (...paths: string[]) => paths.map((path) => sourceUrl(path)?.href);
  const paths = ["/models/a/", "./a.bin", "../a.bin", "a.bin", "owner/name", "file:///a", "https://b/c"];
  expect(addresses(...paths)).toEqual([...Array(6).fill(undefined), "https://b/c"]);
  vi.stubGlobal("process", {});
  vi.stubGlobal("location", { href: "https://site/app/page" });
  expect(addresses(...paths)).toEqual([
    ...["https://site/models/a/", "https://site/app/a.bin", "https://site/a.bin"],
    ...[undefined, undefined, undefined, "https://b/c"],
  ]);
  vi.stubGlobal("document", { baseURI: "https://base/" });
  expect(addresses("./a")).toEqual(["https://base/a"]);
  vi.stubGlobal("document", { baseURI: "about:blank" });
  expect(addresses("./a")).toEqual([undefined]);
  vi.unstubAllGlobals();
});

test.each(["silent", "silent-body", "silent-middle"])(
  "a server that is %s ends the read after idleTimeoutMs",
  async (path) => {
    const start = performance.now();
    const error: unknown = await all(path, { idleTimeoutMs: 100 }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(
      /read: `source` is "http:.*", expected a server that answers, and it has been silent for 0.1 seconds.\nFix: .*idleTimeoutMs/,
    );
    expect(performance.now() - start).toBeLessThan(20_000);
  },
);

test("a slow server does not time out while bytes keep arriving", async () => {
  expect(await all("slow", { idleTimeoutMs: 10_000 })).toEqual(bytes.slice(0, 5));
  await expect(all("good", { idleTimeoutMs: 0 })).rejects.toThrow(
    /`idleTimeoutMs` is 0, expected milliseconds/,
  );
  expect(await all("good", { idleTimeoutMs: Infinity })).toEqual(bytes);
});

test.each(["longer", "endless-range"])(
  "a 206 response that is %s than requested is refused at the first extra byte",
  async (path) => {
    const error: unknown = await at(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toMatch(
      /bytes 0 to 65535` is "more than 65536 bytes", expected 65536, as asked for/,
    );
  },
);

test("a 206 response for another range, for a shorter one, or without a total size is refused", async () => {
  for (const path of ["shifted", "shorter", "unsized"])
    await expect(at(path)).rejects.toThrow(
      /expected the range of bytes asked for, and the server answered 206/,
    );
});

test("an endless response is refused at the limit for responses without Content-Length", async () => {
  const before = process.memoryUsage().arrayBuffers;
  await expect(at("endless", { maxBytes: 1_000_000 })).rejects.toThrow(
    /expected an answer of at most 1000000 bytes, as it is compressed or does not state its length/,
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  const [controller, reason] = [new AbortController(), new Error("enough")];
  setTimeout(() => controller.abort(reason), 50);
  await expect(at("endless", { signal: controller.signal, maxBytes: 2 ** 30 })).rejects.toBe(reason);
});

test("a compression bomb is refused at the limit, since decompressed bytes are counted", async () => {
  await expect(at("bomb", { maxBytes: 100_000 })).rejects.toThrow(
    /at most 100000 bytes, as it is compressed/,
  );
  expect((await at("bomb")).size).toBe(2_000_000);
});

test("a file whose Content-Length exceeds maxBytes is refused before its body is read", async () => {
  for (const path of ["good", "plain"])
    await expect(at(path, { maxBytes: 100, kind: "a configuration" })).rejects.toThrow(
      /`http:.*` is "200000 bytes", expected at most 100 bytes, the limit of a configuration/,
    );
});

test("a file that is replaced while it is read is refused, detected by its ETag", async () => {
  for (const path of ["replaced", "whole-again"]) {
    const file = await at(path);
    await expect(file.read(100_000, 100_010)).rejects.toThrow(
      /is "0 bytes", expected 10.\nFix: the file has changed/,
    );
  }
});

test("a connection that breaks off throws a qkv error", async () => {
  const error: unknown = await all("broken").catch((error: unknown) => error);
  expect(isQkvError(error)).toBe(true);
  expect((error as Error).message).toMatch(/the connection failed or broke off/);
  await expect(openFile("http://127.0.0.1:1/x", caller)).rejects.toThrow(/connection failed/);
});

test("progress is reported as bytes arrive, and an aborted read rejects with the signal's reason", async () => {
  const seen: [number, number | undefined][] = [];
  await all("plain", { onProgress: ({ loaded, total }) => seen.push([loaded, total]) });
  expect(seen.at(-1)).toEqual([bytes.length, bytes.length]);
  const reason = new Error("enough");
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 30);
  await expect(at("silent", { signal: controller.signal })).rejects.toBe(reason);
});
