/// <reference types="node" />
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checks } from "../bound-checks.js";
import { FormatError, isQkvError } from "../errors.js";
import { findFile, openFile, readWhole, type OpenOptions } from "./open-file.js";
import { smallFiles } from "./small-files.js";

const posix = process.platform !== "win32";
const caller = { check: checks("read", { argument: "source" }) };
let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), "qkv-disk-"))));
afterAll(() => rmSync(root, { recursive: true }));

const open = (path: string | URL, options: Partial<OpenOptions> = {}) =>
  openFile(path, { ...caller, ...options });

test("a file is read in ranges, by path and by file URL; a missing one is undefined", async () => {
  const path = join(root, "file");
  writeFileSync(path, Uint8Array.of(1, 2, 3, 4));
  for (const source of [path, pathToFileURL(path), String(pathToFileURL(path))]) {
    const file = await openFile(source, caller);
    expect(file.size).toBe(4);
    expect([...(await file.read(1, 3))]).toEqual([2, 3]);
  }
  expect(await findFile(join(root, "none"), caller)).toBeUndefined();
  expect(await findFile(join(path, "below"), caller)).toBeUndefined();
  await expect(open(join(root, "none"))).rejects.toThrow(/this one does not exist.\nFix: check the path/);
});

test("2 GiB or more are read in chunks, and an abort signal is checked between them", async () => {
  const path = join(root, "sparse");
  writeFileSync(path, "");
  truncateSync(path, 3 * 2 ** 30);
  const file = await open(path);
  const controller = new AbortController();
  const reason = new Error("enough");
  let pieces = 0;
  const stopping = await open(path, {
    signal: controller.signal,
    onProgress: () => (pieces += 1) === 3 && controller.abort(reason),
  });
  await expect(readWhole(stopping)).rejects.toBe(reason);
  expect(pieces).toBe(3);
  expect((await file.read(3 * 2 ** 30 - 10, 3 * 2 ** 30)).length).toBe(10);
});

test("reading more bytes than memory can hold throws a qkv error", async () => {
  const path = join(root, "vast");
  writeFileSync(path, "");
  truncateSync(path, 2 ** 43);
  const error: unknown = await readWhole(await open(path)).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(FormatError);
  expect((error as Error).message).toMatch(/expected as many as fit into memory at once/);
});

test("a file that is truncated after it was opened is refused", async () => {
  const path = join(root, "cut");
  writeFileSync(path, new Uint8Array(100));
  const file = await open(path);
  truncateSync(path, 50);
  await expect(readWhole(file)).rejects.toThrow(/bytes 0 to 99` is "50 bytes", expected 100/);
});

test("a file of 1 GB where a small one is expected is refused before it is read", async () => {
  const path = join(root, "config.json");
  writeFileSync(path, "{}");
  expect((await open(path, smallFiles.configuration)).size).toBe(2);
  truncateSync(path, 1e9);
  await expect(open(path, smallFiles.configuration)).rejects.toThrow(
    /read: `.*config.json` is "1000000000 bytes", expected at most 16777216 bytes, the limit of a configuration.\nFix: check which file/,
  );
});

test.runIf(posix)(
  "folders, pipes and devices are refused, and a pipe without a writer is not waited for",
  async () => {
    execFileSync("mkfifo", [join(root, "fifo")]);
    symlinkSync(join(root, "loop"), join(root, "loop"));
    for (const [path, reason] of [
      [root, /this one is a folder/],
      [join(root, "fifo"), /this one is a pipe, a socket or a device/],
      ["/dev/zero", /this one is a pipe, a socket or a device/],
      [join(root, "loop"), /this one is a link that leads back to itself/],
    ] as const) {
      const error: unknown = await open(path).catch((error: unknown) => error);
      expect(isQkvError(error), path).toBe(true);
      expect((error as Error).message).toMatch(reason);
    }
  },
);

test.runIf(posix)("all kinds of links that lead out of a model's folder are refused", async () => {
  const [folder, out] = [join(root, "model"), join(root, "out")];
  for (const path of [folder, out, join(folder, "sub"), join(root, "model-other")]) mkdirSync(path);
  for (const path of [join(out, "secret"), join(folder, "own"), join(root, "model-other/secret")])
    writeFileSync(path, "x");
  symlinkSync("own", join(folder, "inside"));
  symlinkSync("../out/secret", join(folder, "relative"));
  symlinkSync(join(out, "secret"), join(folder, "absolute"));
  symlinkSync("relative", join(folder, "twice"));
  symlinkSync("../model-other/secret", join(folder, "beside"));
  symlinkSync("../out", join(folder, "folder"));
  symlinkSync("nothing", join(folder, "dangling"));
  for (const name of ["own", "inside"])
    expect((await open(join(folder, name), { within: folder })).size).toBe(1);
  expect(await findFile(join(folder, "dangling"), { ...caller, within: folder })).toBeUndefined();
  for (const name of ["relative", "absolute", "twice", "beside", "folder/secret"]) {
    await expect(open(join(folder, name), { within: folder }), name).rejects.toThrow(
      /expected a file of the folder .*, and it is a link to .*secret.\nFix: links out of a model's folder are not followed/,
    );
    // A file that is given by its own path, without a folder, may be a link.
    expect((await open(join(folder, name))).size).toBe(1);
  }
  // The folder itself may be a link.
  symlinkSync(folder, join(root, "linked"));
  expect((await open(join(root, "linked/inside"), { within: join(root, "linked") })).size).toBe(1);
});

test.runIf(posix)(
  "links in Hugging Face's cache, from a snapshot to the blobs of the same model, are followed",
  async () => {
    const model = join(root, "hub/models--owner--tiny");
    const other = join(root, "hub/models--owner--other");
    const snapshot = join(model, "snapshots/abc");
    for (const path of [join(model, "blobs"), join(other, "blobs"), join(snapshot, "1_Pooling")])
      mkdirSync(path, { recursive: true });
    writeFileSync(join(model, "blobs/one"), "x");
    writeFileSync(join(other, "blobs/two"), "x");
    symlinkSync("../../blobs/one", join(snapshot, "config.json"));
    symlinkSync("../../../blobs/one", join(snapshot, "1_Pooling/config.json"));
    symlinkSync(join(other, "blobs/two"), join(snapshot, "other.json"));
    symlinkSync("../../refs", join(snapshot, "refs.json"));
    writeFileSync(join(model, "refs"), "x");
    expect((await open(join(snapshot, "config.json"), { within: snapshot })).size).toBe(1);
    expect((await open(join(snapshot, "1_Pooling/config.json"), { within: snapshot })).size).toBe(1);
    for (const name of ["other.json", "refs.json"])
      await expect(open(join(snapshot, name), { within: snapshot })).rejects.toThrow(/it is a link to/);
    // A folder named `snapshots` beside `blobs` outside of `models--…` is not a Hugging Face cache.
    const plain = join(root, "plain");
    for (const path of [join(plain, "blobs"), join(plain, "snapshots/abc")])
      mkdirSync(path, { recursive: true });
    writeFileSync(join(plain, "blobs/one"), "x");
    symlinkSync("../../blobs/one", join(plain, "snapshots/abc/x"));
    await expect(
      open(join(plain, "snapshots/abc/x"), { within: join(plain, "snapshots/abc") }),
    ).rejects.toThrow(/link/);
  },
);
