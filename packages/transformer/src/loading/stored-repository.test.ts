/// <reference types="node" />
import { loadTokenizer } from "@qkv/tokenizer";
import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { memoryCaches } from "@qkv/test-support/memory-caches";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exportModel } from "../export.js";
import { load, type LoadOptions } from "../load.js";
import { decoder } from "../models/decoder.js";
import { pipeline } from "../pipeline/pipeline.js";
import { modelStore, type ModelStore } from "../storage/model-store.js";

const commit = "0123456789abcdef0123456789abcdef01234567";
const config = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, ropeBase: 10000, ropeLayout: "half" as const, stopIds: [0] },
};
const digest = (algorithm: string, ...parts: (string | Uint8Array)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest("hex");

let server: FileServer;
let store: ModelStore;
let listing: { sha: string; siblings: { rfilename: string; blobId: string; lfs?: { sha256: string } }[] };
let body: (() => string) | undefined;

beforeEach(async () => {
  const root = mkdtempSync(join(tmpdir(), "qkv-stored-"));
  const folder = join(root, "model");
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out: folder });
  const names = readdirSync(folder);
  const bytes = names.map((name) => new Uint8Array(readFileSync(join(folder, name))));
  rmSync(root, { recursive: true });
  listing = {
    sha: commit,
    siblings: names.map((rfilename, i) => ({
      rfilename,
      blobId: digest("sha1", `blob ${bytes[i]!.length}\0`, bytes[i]!),
      ...(rfilename.endsWith(".safetensors") && { lfs: { sha256: digest("sha256", bytes[i]!) } }),
    })),
  };
  body = undefined;
  store = modelStore({ caches: memoryCaches() });
  const served = names.map((name, i) => [`/owner/tiny/resolve/${commit}/${name}`, bytes[i]!] as const);
  server = await serveFiles(Object.fromEntries(served), (request, response) => {
    if (!request.url!.startsWith("/api/models/owner/tiny/revision/main?blobs=true")) return false;
    const text = body?.() ?? JSON.stringify(listing);
    response.writeHead(200, { "Content-Length": text.length }).end(text);
    return true;
  });
});
afterEach(() => server.close());

const tiny = (more: LoadOptions = {}) => load("owner/tiny", { store, hub: { url: server.site }, ...more });

test("a repository is loaded from one commit, without requests for missing files", async () => {
  const model = await tiny();
  expect(model.apply(model.params, [1, 2, 3]).shape).toEqual([1, 3, 11]);
  const [list, ...files] = server.requests;
  expect(list).toMatch(/^GET \/api\/models\/owner\/tiny\/revision\/main/);
  const names = listing.siblings.map(({ rfilename }) => rfilename);
  expect(files.length).toBeGreaterThan(1);
  for (const request of files) expect(names).toContain(/resolve\/[0-9a-f]{40}\/(\S+)/.exec(request)![1]);
  expect((await store.list()).map(({ model }) => model)).toEqual(["owner/tiny"]);

  server.requests.length = 0;
  const again = await tiny({ hub: { url: server.site, offline: true } });
  expect(again.apply(again.params, [1, 2, 3]).data).toEqual(model.apply(model.params, [1, 2, 3]).data);
  expect(server.requests).toEqual([]);
});

test("an error names a file with a wrong checksum, for large and for small files", async () => {
  for (const [name, message] of [
    [
      "config.json",
      /resolve\/0123.*\/config.json` is "\d+ bytes of another git-sha1", expected git-sha1 f{40}/,
    ],
    ["model.safetensors", /model.safetensors` is "\d+ bytes of another sha256", expected sha256 f{64}/],
  ] as const) {
    const sibling = listing.siblings.find(({ rfilename }) => rfilename === name)!;
    const before = { ...sibling };
    Object.assign(sibling, {
      blobId: "f".repeat(40),
      ...(sibling.lfs && { lfs: { sha256: "f".repeat(64) } }),
    });
    await expect(tiny()).rejects.toThrow(message);
    Object.assign(sibling, before);
    await store.delete("owner/tiny");
  }
});

test("a missing repository, an invalid file list, and a token are refused", async () => {
  await expect(load("owner/none", { store, hub: { url: server.site } })).rejects.toThrow(
    /load: `source` is "owner\/none", expected a repository of http:.* with a revision main, and it answered 404/,
  );
  await expect(tiny({ hub: { url: server.site, accessToken: "secret" } })).rejects.toThrow(
    /`hub.accessToken` is "a token", expected none with `store`/,
  );
  await expect(tiny({ store: {} as ModelStore })).rejects.toThrow(
    /`store` is .*, expected a store of models/,
  );
  for (const text of ["{}", '{"sha":"main","siblings":[]}']) {
    body = () => text;
    await expect(tiny()).rejects.toThrow(
      /blobs=true` is ".*", expected the hub's list of a repository's files/,
    );
    await store.delete("owner/tiny");
  }
});

test("a pipeline loads its model from the store without requests", async () => {
  const tokenizer = loadTokenizer({
    "vocab.txt": new TextEncoder().encode("[UNK]\nonce\nupon\na\ntime\nb\nc\nd\ne\nf\ng\n"),
  });
  const open = () =>
    pipeline("text-generation", "owner/tiny", { store, tokenizer, hub: { url: server.site } });
  const [first] = await (await open())("once upon", { max_new_tokens: 3 });
  server.requests.length = 0;
  const [second] = await (await open())("once upon", { max_new_tokens: 3 });
  expect(second!.generated_text).toBe(first!.generated_text);
  expect(server.requests).toEqual([]);
});
