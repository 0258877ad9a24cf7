/// <reference types="node" />
import { isQkvError } from "@qkv/core";
import { serveFiles, type FileServer } from "@qkv/test-support/file-server";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { load, type LoadOptions } from "./load.js";
import { decoder } from "./models/decoder.js";
import { exportModel } from "./exporting/export-model.js";

const posix = process.platform !== "win32";
const config = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
let root: string;
let server: FileServer;
let count = 0;

/** A new copy of the model's folder. */
function folder(): string {
  const path = join(root, `model-${count++}`);
  cpSync(join(root, "model"), path, { recursive: true });
  return path;
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-hostile-"));
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out: join(root, "model") });
  server = await serveFiles({}, (request, response) => {
    if (request.url!.startsWith("/silent/")) return true;
    if (!request.url!.startsWith("/endless/")) return false;
    const writeMore = () => {
      while (!response.destroyed && response.write(" ".repeat(2 ** 16)));
      if (!response.destroyed) response.once("drain", writeMore);
    };
    writeMore();
    return true;
  });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

async function refusal(source: string, options: LoadOptions = {}): Promise<string> {
  const error: unknown = await load(source, options).catch((error: unknown) => error);
  expect(isQkvError(error), String(error)).toBe(true);
  return (error as Error).message;
}

test("a config.json, an index and a tokenizer larger than their limits are refused", async () => {
  const path = folder();
  truncateSync(join(path, "config.json"), 1e9);
  expect(await refusal(path)).toMatch(/config.json` is "1000000000 bytes", expected at most 16777216 bytes/);
  const sharded = folder();
  rmSync(join(sharded, "model.safetensors"));
  writeFileSync(join(sharded, "model.safetensors.index.json"), "");
  truncateSync(join(sharded, "model.safetensors.index.json"), 3 * 2 ** 30);
  expect(await refusal(sharded)).toMatch(
    /index.json` is "3221225472 bytes", expected at most 67108864 bytes/,
  );
  const withTokenizer = folder();
  writeFileSync(join(withTokenizer, "tokenizer.json"), "");
  truncateSync(join(withTokenizer, "tokenizer.json"), 3 * 2 ** 30);
  expect(await refusal(withTokenizer)).toMatch(
    /tokenizer.json` is "3221225472 bytes", expected at most 134217728/,
  );
  expect(await refusal(folder(), { tokenizer: join(withTokenizer, "tokenizer.json") })).toMatch(
    /at most 134217728/,
  );
});

test("weights larger than maxBytes are refused before they are read", async () => {
  expect(await refusal(folder(), { maxBytes: 100 })).toMatch(
    /model.safetensors` is "\d+ bytes", expected at most 100 bytes, the limit of `maxBytes`/,
  );
});

test.runIf(posix)("symbolic links out of a model's folder, and named pipes, are refused", async () => {
  for (const name of ["config.json", "model.safetensors"]) {
    const path = folder();
    renameSync(join(path, name), join(root, `${count}-${name}`));
    symlinkSync(join("..", `${count}-${name}`), join(path, name));
    expect(await refusal(path)).toMatch(/expected a file of the folder .*, and it is a link to/);
    rmSync(join(path, name));
    execFileSync("mkfifo", [join(path, name)]);
    expect(await refusal(path)).toMatch(/this one is a pipe, a socket or a device/);
  }
});

test.runIf(posix)(
  "a model in the hub's cache, whose files are symbolic links to blobs, is loaded",
  async () => {
    const model = join(root, "hub/models--owner--tiny");
    const snapshot = join(model, "snapshots/abc");
    mkdirSync(join(model, "blobs"), { recursive: true });
    mkdirSync(snapshot, { recursive: true });
    for (const name of ["config.json", "model.safetensors"]) {
      cpSync(join(root, "model", name), join(model, "blobs", `1-${name}`));
      symlinkSync(`../../blobs/1-${name}`, join(snapshot, name));
    }
    expect((await load(snapshot)).config.embedDim).toBe(8);
  },
);

test("a server that does not respond, or sends more bytes than the limit, is refused", async () => {
  expect(await refusal(`${server.site}/silent/`, { idleTimeoutMs: 100 })).toMatch(
    /silent\/config.json", expected a server that answers, and it has been silent for 0.1 seconds/,
  );
  expect(await refusal(`${server.site}/endless/`)).toMatch(/expected an answer of at most 16777216 bytes/);
  expect(await refusal(`${server.site}/endless/x.gguf`, { maxBytes: 1e6 })).toMatch(/at most 1000000 bytes/);
  expect(await refusal("owner/name", { hub: { url: `${server.site}/silent` }, idleTimeoutMs: 100 })).toMatch(
    /expected a server that answers, and it has been silent for 0.1 seconds/,
  );
});

test("an access token is not sent over http", async () => {
  expect(await refusal("owner/name", { hub: { url: server.site, accessToken: "secret" } })).toMatch(
    /`hub.url` is "http:.*", expected an address of https, as a token goes with each request/,
  );
  expect(server.requests.filter((request) => request.startsWith("GET /owner"))).toEqual([]);
});
