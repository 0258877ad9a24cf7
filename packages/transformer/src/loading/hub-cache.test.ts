/// <reference types="node" />
import { createHash } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { load } from "../load.js";
import { decoder } from "../models/decoder.js";
import { hubCacheFolder, hubSnapshot } from "./hub-cache.js";

const posix = process.platform !== "win32";
const config = {
  ...{ vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
};
const commit = "0123456789abcdef0123456789abcdef01234567";
const older = "f".repeat(40);
let root: string;
let cache: string;
let count = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "qkv-hub-cache-"));
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out: join(root, "model") });
});
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

/**
 * Creates the cache folder of a repository as `huggingface_hub` does: blobs named by the ETag of the server (SHA-256 of large
 * files, git's SHA-1 of small ones), a folder of symbolic links to them for each commit, and a file with the commit of each
 * branch. Returns the folder of the commit.
 */
function downloaded(repo: string, names = ["config.json", "model.safetensors"], at = commit): string {
  cache ??= join(root, `cache-${count++}`);
  const folder = join(cache, `models--${repo.replace("/", "--")}`);
  for (const name of ["blobs", "refs", `snapshots/${at}`]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "refs/main"), at);
  for (const name of names) {
    const bytes = readFileSync(join(root, "model", name));
    const git = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    const tag = name.endsWith(".safetensors") ? createHash("sha256").update(bytes).digest("hex") : git;
    copyFileSync(join(root, "model", name), join(folder, "blobs", tag));
    symlinkSync(`../../blobs/${tag}`, join(folder, `snapshots/${at}`, name));
  }
  return join(folder, "snapshots", at);
}

const failingClient = { downloadFile: () => Promise.reject(new Error("asked the network")) };

test("hubCacheFolder follows the environment variables of Python's huggingface_hub", () => {
  for (const name of ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
    vi.stubEnv(name, "");
  vi.stubEnv("HOME", "/home/user");
  expect(hubCacheFolder()).toBe("/home/user/.cache/huggingface/hub");
  vi.stubEnv("XDG_CACHE_HOME", "/var/cache");
  expect(hubCacheFolder()).toBe("/var/cache/huggingface/hub");
  vi.stubEnv("HF_HOME", "/data/hf");
  expect(hubCacheFolder()).toBe("/data/hf/hub");
  vi.stubEnv("HF_HUB_CACHE", "/data/models");
  expect(hubCacheFolder()).toBe("/data/models");
});

test.runIf(posix)(
  "a repository in the cache of huggingface_hub is loaded by name without requests",
  async () => {
    const snapshot = downloaded("owner/tiny");
    vi.stubEnv("HF_HUB_CACHE", cache);
    expect(await hubSnapshot("owner/tiny")).toBe(snapshot);
    expect(await hubSnapshot("owner/tiny", { revision: commit })).toBe(snapshot);
    expect(await hubSnapshot("owner/tiny", { revision: "refs/pr/1" })).toBeUndefined();
    expect((await load("owner/tiny", { hub: { client: failingClient } })).config.embedDim).toBe(8);
    vi.stubEnv("HF_HUB_CACHE", "");
    expect((await load("owner/tiny", { hub: { client: failingClient, cache } })).config.embedDim).toBe(8);
    await expect(load("owner/tiny", { hub: { client: failingClient, cache: false } })).rejects.toThrow(
      /asked the network/,
    );
  },
);

test.runIf(posix)(
  "a branch resolves to the commit of its last download, and a commit to itself",
  async () => {
    const old = downloaded("owner/moved", ["config.json"], older);
    const now = downloaded("owner/moved");
    expect(await hubSnapshot("owner/moved", { cache })).toBe(now);
    expect(await hubSnapshot("owner/moved", { cache, revision: older })).toBe(old);
  },
);

test.runIf(posix)("an incomplete model is requested from the hub, and refused offline", async () => {
  downloaded("owner/half", ["config.json"]);
  await expect(load("owner/half", { hub: { client: failingClient, cache } })).rejects.toThrow(
    /asked the network/,
  );
  await expect(load("owner/half", { hub: { cache, offline: true } })).rejects.toThrow(
    /expected a folder with model\.safetensors\.index\.json/,
  );
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  await expect(load("owner/none", { hub: { client: failingClient, cache } })).rejects.toThrow(
    /`source` is "owner\/none", expected a model in the hub's cache.*main of this one is not there\.\nFix: download it once: `hf download owner\/none`/s,
  );
  await expect(load("owner/none", { hub: { client: failingClient, cache, offline: false } })).rejects.toThrow(
    /asked the network/,
  );
});

test.runIf(posix)("errors name damaged files of the cache", async () => {
  const cut = downloaded("owner/cut");
  truncateSync(join(cut, "model.safetensors"), 700);
  await expect(load("owner/cut", { hub: { cache } })).rejects.toThrow(
    /models--owner--cut.*model\.safetensors/,
  );
  const text = downloaded("owner/text");
  writeFileSync(join(text, "config.json"), '{"model_type": ');
  await expect(load("owner/text", { hub: { cache } })).rejects.toThrow(/models--owner--text.*config\.json/);
  downloaded("owner/ref");
  writeFileSync(join(cache, "models--owner--ref/refs/main"), "../../other");
  await expect(load("owner/ref", { hub: { cache } })).rejects.toThrow(
    /models--owner--ref\/refs\/main` is "\.\.\/\.\.\/other", expected a commit: 40 digits/,
  );
  const gone = downloaded("owner/gone");
  rmSync(join(gone, "../../blobs"), { recursive: true });
  await expect(load("owner/gone", { hub: { cache, offline: true } })).rejects.toThrow(/config\.json/);
});

test.runIf(posix)("symbolic links to files of another model are refused", async () => {
  const snapshot = downloaded("owner/linked", ["config.json"]);
  const otherModel = downloaded("owner/other");
  symlinkSync(join(otherModel, "model.safetensors"), join(snapshot, "model.safetensors"));
  await expect(load("owner/linked", { hub: { cache } })).rejects.toThrow(/it is a link to/);
});

test("names and revisions whose paths lead out of the cache are refused", async () => {
  for (const repo of ["../x", "owner/../x", "a/b/c", "", 3])
    await expect(hubSnapshot(repo as string)).rejects.toThrow(
      /`repo` is .*expected the name of a repository/,
    );
  for (const revision of ["../../x", "a/../b", "/etc", ""])
    await expect(hubSnapshot("owner/tiny", { revision })).rejects.toThrow(
      /`revision` is .*expected a branch/,
    );
});
