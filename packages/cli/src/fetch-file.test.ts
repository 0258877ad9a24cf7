import { writeSafetensorsHeader } from "@qkv/core";
import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { fetchFile, type FetchOptions } from "./fetch-file.js";

const weights = writeSafetensorsHeader([]);
const page = "<!DOCTYPE html><html><title>Log in</title></html>";
const sha256 = createHash("sha256").update(weights).digest("hex");
const gitSha1 = createHash("sha1").update(`blob ${weights.length}\0`).update(weights).digest("hex");
const { signal } = new AbortController();

/** Responses of a server, by the first part of a path; the last is the file's name. */
const ways: Record<string, (response: ServerResponse, name: string) => unknown> = {
  good: (response) => response.writeHead(200, { "Content-Length": weights.length }).end(weights),
  page: (response) => response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page),
  "page-unnamed": (response) => response.writeHead(200, { "Content-Length": page.length }).end(page),
  large: (response) => response.writeHead(200, { "Content-Length": 1e9 }).write("{"),
  silent: () => undefined,
  endless(response) {
    const more = () => {
      while (!response.destroyed && response.write(" ".repeat(2 ** 16)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  },
  shorter: (response) => response.writeHead(200, { "Content-Length": 3, Connection: "close" }).end(),
  // As the hub answers for large files: their SHA-256, and where they lie.
  lfs: (response, name) => moved(response, `/good/${name}`, { "X-Linked-Etag": `"${sha256}"` }),
  "lfs-other": (response, name) =>
    moved(response, `/good/${name}`, { "X-Linked-Etag": `"${"0".repeat(64)}"` }),
  git: (response) => hosted(response, gitSha1),
  "git-other": (response) => hosted(response, "0".repeat(40)),
  // Not the hub: its tag may be anything.
  "other-tag": (response) =>
    response.writeHead(200, { ETag: `"${"0".repeat(40)}"`, "Content-Length": weights.length }).end(weights),
  round: (response, name) => moved(response, `/round/${name}`, {}),
};
const moved = (response: ServerResponse, location: string, headers: Record<string, string>) =>
  response.writeHead(302, { Location: location, ...headers }).end();
const hosted = (response: ServerResponse, tag: string) =>
  response
    .writeHead(200, { ETag: `"${tag}"`, "X-Repo-Commit": "abc", "Content-Length": weights.length })
    .end(weights);

let server: FileServer;
let root: string;
beforeAll(async () => {
  server = await serveFiles({}, (request, response) => {
    const [, way, name] = request.url!.split("/");
    ways[way!]?.(response, name!);
    return way! in ways;
  });
});
afterAll(() => server.close());
beforeEach(() => (root = mkdtempSync(join(tmpdir(), "qkv-fetch-"))));
afterEach(() => {
  rmSync(root, { recursive: true });
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

const get = (way: string, name = "model.safetensors", options: Partial<FetchOptions> = {}) =>
  fetchFile(new URL(`${server.site}/${way}/${name}`), join(root, name), { signal, ...options });

test("a web page is never cached, whatever its content type and the requested file", async () => {
  for (const name of [
    "model.safetensors",
    "model.bin",
    "model.gguf",
    "config.json",
    "tokenizer.model",
    "vocab.txt",
  ]) {
    await expect(get("page", name), name).rejects.toThrow(
      /expected a file of a model, and the server sends a web page.\nFix: a login or a proxy/,
    );
    await expect(get("page-unnamed", name), name).rejects.toThrow(
      /what came is damaged or another.\nFix: .*a web page/,
    );
    await expect(get("page", name, { optional: true }), name).rejects.toThrow(/web page/);
  }
  expect(readdirSync(root)).toEqual([]);
  expect(await get("good")).toBe(true);
  expect(new Uint8Array(readFileSync(join(root, "model.safetensors")))).toEqual(weights);
});

test("a file of another format than its name is never cached", async () => {
  for (const name of ["model.gguf", "config.json"])
    await expect(get("good", name), name).rejects.toThrow(/expected what its name says/);
  expect(readdirSync(root)).toEqual([]);
});

test("the hub's checksums are compared: SHA-256 of large files, git's SHA-1 of small ones", async () => {
  expect(await get("lfs", "a.safetensors")).toBe(true);
  expect(await get("git", "b.safetensors")).toBe(true);
  expect(await get("other-tag", "c.safetensors")).toBe(true);
  await expect(get("lfs-other", "d.safetensors")).rejects.toThrow(
    /expected a file whose sha256 is 0{64}, as the hub states, and another came/,
  );
  await expect(get("git-other", "e.safetensors")).rejects.toThrow(
    /whose git-sha1 is 0{40}, as the hub states/,
  );
  expect(readdirSync(root).sort()).toEqual(["a.safetensors", "b.safetensors", "c.safetensors"]);
});

test("an access token is sent only to the hub, and never over http", async () => {
  vi.stubEnv("HF_TOKEN", "secret");
  const sent: [string, string | null][] = [];
  vi.stubGlobal("fetch", (url: URL, init: RequestInit) => {
    sent.push([url.href, new Headers(init.headers).get("authorization")]);
    const location = {
      "https://huggingface.co/a": "http://huggingface.co/b",
      "http://huggingface.co/b": "https://cdn.example/c",
    }[url.href];
    return Promise.resolve(
      location
        ? new Response(null, { status: 302, headers: { location } })
        : new Response(Uint8Array.from(weights), { headers: { "content-length": String(weights.length) } }),
    );
  });
  for (const address of ["https://huggingface.co/a", "http://huggingface.co/x", "https://other.example/y"])
    await fetchFile(new URL(address), join(root, new URL(address).pathname), { signal }).catch(
      () => undefined,
    );
  expect(sent).toEqual([
    ["https://huggingface.co/a", "Bearer secret"],
    ["http://huggingface.co/b", null],
    ["https://cdn.example/c", null],
    ["http://huggingface.co/x", null],
    ["https://other.example/y", null],
  ]);
});

test("partial downloads of killed commands are removed, those of running ones are not", async () => {
  const { pid: dead } = spawnSync(process.execPath, ["-e", ""]);
  const part = (pid: number) => join(root, `other.safetensors.${pid}-${randomUUID()}.part`);
  const [left, running, forgotten] = [part(dead), part(process.pid), part(process.pid)];
  for (const path of [left, running, forgotten, join(root, "notes.part")]) writeFileSync(path, "x");
  const yesterday = Date.now() / 1000 - 86_400;
  utimesSync(forgotten, yesterday, yesterday);
  await get("good");
  expect(
    readdirSync(root)
      .map((name) => join(root, name))
      .sort(),
  ).toEqual([running, join(root, "notes.part"), join(root, "model.safetensors")].sort());
});

test("a killed download is resumed if the server has the same content", async () => {
  const content = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
  const digest = createHash("sha256").update(content).digest("hex");
  const other = Uint8Array.from(content, (byte) => 255 - byte);
  /** The server's next responses; `half`: it sends half of the file, and then nothing more. */
  let now: { tag: string; of?: Uint8Array; ranges?: false; half?: true; linked?: string } = { tag: '"a"' };
  const requestedRanges: (string | undefined)[] = [];
  const dying = await serveFiles({}, (request, response) => {
    const { tag, of = content, ranges, half, linked } = now;
    requestedRanges.push(request.headers.range);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const headers = { ETag: tag, ...(linked && { "X-Linked-Etag": `"${linked}"` }) };
    if (first === undefined || ranges === false) {
      response.writeHead(200, { ...headers, "Content-Length": of.length });
      if (half) response.write(of.subarray(0, 100_000));
      else response.end(of);
    } else {
      const range = `bytes ${first}-${last}/${of.length}`;
      const rest = of.subarray(Number(first), Number(last) + 1);
      response.writeHead(206, { ...headers, "Content-Range": range, "Content-Length": rest.length });
      response.end(rest);
    }
    return true;
  });
  const { pid: dead } = spawnSync(process.execPath, ["-e", ""]);
  const path = join(root, "model.bin");
  const fetchIt = (options: Partial<FetchOptions> = {}) =>
    fetchFile(new URL(`${dying.site}/model.bin`), path, { signal, ...options });
  /** Leaves what a command leaves that is killed when half of the file has come. */
  const killHalfWay = async (tag = '"a"') => {
    rmSync(path, { force: true });
    now = { tag, half: true };
    const controller = new AbortController();
    const fetching = fetchIt({ signal: controller.signal }).catch(() => undefined);
    const parts = () => readdirSync(root).filter((name) => name.endsWith(".part"));
    await expect.poll(() => parts().map((name) => statSync(join(root, name)).size)).toEqual([100_000]);
    const [name] = parts();
    const left = name!.replace(`.${process.pid}-`, `.${dead}-`);
    expect(left).not.toBe(name);
    writeFileSync(join(root, left), readFileSync(join(root, name!)));
    controller.abort();
    await fetching;
    expect(readdirSync(root)).toEqual([left]);
    requestedRanges.length = 0;
    return join(root, left);
  };
  const expectWhole = (bytes = content) => {
    expect(readdirSync(root)).toEqual(["model.bin"]);
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
  };
  try {
    const rest = "bytes=100000-199999";
    await killHalfWay();
    now = { tag: '"a"', linked: digest };
    const loaded: number[] = [];
    await fetchIt({ onProgress: (progress) => loaded.push(progress.loaded) });
    expect(requestedRanges).toEqual([rest]);
    expect(loaded[0]).toBeGreaterThan(100_000);
    expect(loaded.at(-1)).toBe(200_000);
    expectWhole();

    // The result is checked as a whole.
    const part = await killHalfWay();
    writeFileSync(part, other.subarray(0, 100_000));
    now = { tag: '"a"', linked: digest };
    await expect(fetchIt()).rejects.toThrow(/as the hub states, and another came/);
    expect(readdirSync(root)).toEqual([]);

    // Another content, one of another length, and a server without ranges: the part is cleared.
    await killHalfWay();
    now = { tag: '"b"', of: other };
    await fetchIt();
    expect(requestedRanges).toEqual([rest, undefined]);
    expectWhole(other);
    await killHalfWay();
    now = { tag: '"a"', of: content.subarray(0, 150_000) };
    await fetchIt();
    expectWhole(content.subarray(0, 150_000));
    await killHalfWay();
    now = { tag: '"a"', ranges: false };
    await fetchIt();
    expect(requestedRanges).toEqual([rest]);
    expectWhole();

    // A weak ETag does not identify bytes: such a part is not kept.
    await killHalfWay('W/"a"');
    now = { tag: 'W/"a"' };
    await fetchIt();
    expect(requestedRanges).toEqual([undefined]);
    expectWhole();

    // Bytes written before the last boot may not be on the disk.
    utimesSync(await killHalfWay(), 1, 1);
    now = { tag: '"a"' };
    await fetchIt();
    expect(requestedRanges).toEqual([undefined]);
    expectWhole();

    // A part of another file waits until that file is fetched.
    const waiting = await killHalfWay();
    await get("good");
    expect(readdirSync(root).sort()).toEqual([waiting.slice(root.length + 1), "model.safetensors"].sort());
  } finally {
    await dying.close();
  }
});

test("an idle server, an endless response, a configuration of 1 GB and a loop of redirects are refused", async () => {
  mkdirSync(join(root, "x"));
  await expect(get("silent", "x.json", { idleTimeoutMs: 50 })).rejects.toThrow(/silent for 0.05 seconds/);
  await expect(get("endless", "config.json")).rejects.toThrow(/an answer of at most 16777216 bytes/);
  await expect(get("large", "config.json")).rejects.toThrow(
    /expected at most 16777216 bytes, the limit of a configuration, and the server states 1000000000/,
  );
  await expect(get("shorter")).rejects.toThrow(/connection failed or broke off/);
  await expect(get("round")).rejects.toThrow(/expected a file within 10 redirects/);
  expect(readdirSync(root)).toEqual(["x"]);
});
