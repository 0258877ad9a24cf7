/// <reference types="node" />
import { ArgumentError } from "@qkv/core";
import { js } from "@qkv/tensor";
import { llama2cTokenizer } from "@qkv/tokenizer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyCheckpoint, tinySizes } from "@qkv/test-support/tiny-checkpoint";
import { readLlama2c } from "./checkpoints/llama2c.js";
import { load } from "./load.js";
import { openServer, type LocalServer } from "../../../scripts/server.mjs";
import type { Progress } from "./loading/open-file.js";

const bytes = tinyCheckpoint({}, (n) => Math.sin(n));
const long = tinyCheckpoint({ n_layers: 1, hidden_dim: 100_000 }); // matrices larger than one chunk of 4 MiB
const vocabulary = tokenizerFile(tinySizes.vocab_size);
const expected = readLlama2c(bytes, { source: "tiny.bin" });

let folder: string;
let server: LocalServer;
let site: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "qkv-load-"));
  writeFileSync(join(folder, "tiny.bin"), bytes);
  writeFileSync(join(folder, "tokens.bin"), vocabulary);
  writeFileSync(join(folder, "long.bin"), long);
  server = await openServer((request, response) => {
    if (request.url === "/tiny.bin")
      return void response.setHeader("Content-Length", bytes.length).end(bytes);
    if (request.url === "/tokens.bin") return void response.end(vocabulary);
    if (request.url === "/chunked.bin") {
      response.write(bytes.subarray(0, 1000));
      return void setTimeout(() => response.end(bytes.subarray(1000)), 20);
    }
    if (request.url === "/zipped.bin") {
      const zipped = gzipSync(bytes);
      response.setHeader("Content-Encoding", "gzip").setHeader("Content-Length", zipped.length);
      return void response.end(zipped);
    }
    if (request.url === "/endless.bin") return void response.write(bytes.subarray(0, 1000));
    if (request.url === "/broken.bin") {
      response.setHeader("Content-Length", bytes.length);
      response.write(bytes.subarray(0, 1000), () => response.destroy());
      return;
    }
    response.writeHead(404).end();
  });
  site = server.origin;
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** A llama2.c tokenizer file of `size` tokens: three special ones, then letters. */
function tokenizerFile(size: number): Uint8Array {
  const tokens = ["<unk>", "<s>", "</s>", ..."abcdefghijklmnopqrstuvwxyz"].slice(0, size);
  const file: number[] = [6, 0, 0, 0];
  for (const token of tokens)
    file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
  return Uint8Array.from(file);
}

/** Progress reports of a load, in order. */
function progressRecorder(): { seen: Progress[]; onProgress: (progress: Progress) => void } {
  const seen: Progress[] = [];
  return { seen, onProgress: (progress) => seen.push(progress) };
}

test("bytes, a path, a file URL and an http URL load the same model", async () => {
  const path = join(folder, "tiny.bin");
  const sources = [
    bytes,
    path,
    pathToFileURL(path),
    String(pathToFileURL(path)),
    `${site}/tiny.bin`,
    new URL(`${site}/chunked.bin`),
  ];
  for (const source of sources) {
    const { config, params, tokenizer, apply } = await load(source);
    expect(config).toEqual(expected.config);
    expect(params).toEqual(expected.params);
    expect(tokenizer).toBeUndefined();
    expect(apply(params, [1, 2]).shape).toEqual([1, 2, 7]);
  }
});

test("`device` sets the device of the weights", async () => {
  const device = { ...js(), name: "elsewhere" };
  const { params } = await load(bytes, { device });
  expect(params.layers[1]!.attention.query.weight.device).toBe(device);
});

test("onProgress reports the bytes read, in steps of at most 4 MiB, up to the size of the file", async () => {
  const { seen, ...options } = progressRecorder();
  const path = join(folder, "long.bin");
  await load(path, options);
  const steps = seen.map(({ loaded }) => loaded);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(Math.max(...steps.map((step, i) => step - (steps[i - 1] ?? 0)))).toBe(4 * 2 ** 20);
  expect(steps.at(-1)).toBe(long.length);
  expect(new Set(seen.map(({ source, total }) => `${source} ${total}`))).toEqual(
    new Set([`${path} ${long.length}`]),
  );

  const known = progressRecorder();
  await load(`${site}/tiny.bin`, { onProgress: known.onProgress });
  expect(known.seen.at(-1)).toEqual({
    source: `${site}/tiny.bin`,
    loaded: bytes.length,
    total: bytes.length,
  });
  // Without a length, or with the length of something smaller, the total is not known.
  for (const source of [`${site}/chunked.bin`, `${site}/zipped.bin`]) {
    const unknown = progressRecorder();
    await load(source, { onProgress: unknown.onProgress });
    expect(unknown.seen.at(-1)).toEqual({ source, loaded: bytes.length, total: undefined });
  }
});

test("`tokenizer` is a tokenizer, or its file as bytes, path or URL", async () => {
  const instance = llama2cTokenizer(vocabulary);
  expect((await load(bytes, { tokenizer: instance })).tokenizer).toBe(instance);
  for (const tokenizer of [vocabulary, join(folder, "tokens.bin"), `${site}/tokens.bin`]) {
    const model = await load(bytes, { tokenizer });
    expect(model.tokenizer!.vocabSize).toBe(7);
    expect(model.tokenizer!.decode([3, 5])).toBe("ac");
  }
});

test("a tokenizer with more tokens than the model is refused, with the fix", async () => {
  await expect(load(bytes, { tokenizer: tokenizerFile(8) })).rejects.toThrow(
    /load: `tokenizer` is "a vocabulary of 8 tokens", expected the 7 tokens of the model.\nFix: use the tokenizer file/,
  );
});

test("a missing file, a missing page and a failed connection are refused with the reason", async () => {
  const missing = join(folder, "missing.bin");
  const refused = async (source: string | URL) => {
    const error = await load(source).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ArgumentError);
    return (error as ArgumentError).message;
  };
  expect(await refused(missing)).toMatch(
    /`source` is ".*missing.bin", expected a file that can be read, and this one does not exist.\nFix: check the path/,
  );
  expect(await refused(pathToFileURL(missing))).toMatch(/does not exist/);
  expect(await refused(folder)).toMatch(/expected a folder with config.json: the configuration of the model/);
  expect(await refused(`${site}/nothing.bin`)).toMatch(
    /`source` is "http:.*nothing.bin", expected a file, and the server answered 404 Not Found/,
  );
  expect(await refused(`${site}/broken.bin`)).toMatch(
    /expected an address that can be reached, and the connection failed or broke off/,
  );
  const closed = await openServer(() => undefined);
  await closed.close();
  expect(await refused(`${closed.origin}/tiny.bin`)).toMatch(/the connection failed/);
  // For bytes without a file name, the error states their number.
  await expect(load(new Uint8Array(30))).rejects.toThrow(/load: `30 bytes: dim` is 0/);
});

test("an aborted load rejects with the signal's reason, before, during and after reading", async () => {
  const reason = new Error("enough");
  const path = join(folder, "long.bin");
  for (const source of [bytes, new Uint8Array(3), path, join(folder, "missing.bin"), `${site}/tiny.bin`]) {
    await expect(load(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  }
  await expect(load(path, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);

  const abortAt = (loaded: number, reason?: unknown) => {
    const controller = new AbortController();
    const onProgress = (progress: Progress) => progress.loaded >= loaded && controller.abort(reason);
    return { signal: controller.signal, onProgress };
  };
  await expect(load(path, abortAt(1, reason))).rejects.toBe(reason);
  const errorWithCode = Object.assign(new Error("enough"), { code: "ENOUGH" });
  await expect(load(path, abortAt(1, errorWithCode))).rejects.toBe(errorWithCode);
  const byDefault = await load(path, abortAt(1)).catch((error: unknown) => error);
  expect((byDefault as DOMException).name).toBe("AbortError");
  await expect(load(join(folder, "tiny.bin"), abortAt(bytes.length, reason))).rejects.toBe(reason);
  await expect(load(`${site}/endless.bin`, abortAt(1, reason))).rejects.toBe(reason);
  await expect(load(`${site}/tiny.bin`, abortAt(bytes.length, reason))).rejects.toBe(reason);

  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 20);
  const { signal } = controller;
  await expect(load(bytes, { tokenizer: `${site}/endless.bin`, signal })).rejects.toBe(reason);
});

test("without a file system, a path is refused with the fix", async () => {
  const { process } = globalThis;
  try {
    (globalThis as { process?: unknown }).process = undefined;
    await expect(load("tiny.bin")).rejects.toThrow(
      /`source` is "tiny.bin", expected bytes, a Blob or a URL, where there is no file system.\nFix: fetch the file/,
    );
  } finally {
    globalThis.process = process;
  }
});
